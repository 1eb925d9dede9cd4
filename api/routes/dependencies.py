"""What routes ask for by name: the reader, the layer of the path, the shared state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from api.links import Links
from api.negotiation import Reader, reader_of
from layers.catalogue import PublishedLayer

if TYPE_CHECKING:
    from api.state import State


def state_of(request: Request) -> State:
    """Return what the application's routes share."""
    return cast("State", request.app.state)


async def _reader(request: Request) -> Reader:
    return reader_of(request)


async def _layer(request: Request, collection: str) -> PublishedLayer:
    return layer_of(request, collection)


async def _links(request: Request) -> Links:
    return absolute(request)


def layer_of(request: Request, collection: str) -> PublishedLayer:
    """Return the layer that a path names."""
    return state_of(request).catalogue.layer(collection)


def absolute(request: Request) -> Links:
    """Return the maker of absolute links, from the public address."""
    return Links(state_of(request).settings.base_url)


# Coroutines, as FastAPI runs plain functions in a thread.
ReaderDep = Annotated[Reader, Depends(_reader)]
LayerDep = Annotated[PublishedLayer, Depends(_layer)]
LinksDep = Annotated[Links, Depends(_links)]
