"""Settings of the service, read once at the start from ``CASAMAPS_…`` variables of the environment."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from geo.errors import SetupError
from layers.definition import ORIGIN
from layers.hours.clock import zone

_PAGES = frozenset(
    {"accessibility", "api", "assets", "catalog.jsonld", "collections", "conformance", "csp-reports", "directory"}
    | {"districts", "functions", "manifest.webmanifest", "oembed", "privacy", "robots.txt", "sitemap.xml", "sw.js"}
    | {"tiles", "widget", "widgets"}
)
#: What the addresses of other systems may hold of a place.
PLACE_PARTS = ("place", "name", "district", "lon", "lat")
PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """All settings with their bounds; the description of each is its help, shown by ``./casamaps settings``."""

    model_config = SettingsConfigDict(env_prefix="CASAMAPS_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    data_dir: Path = Field(
        PROJECT / ".casamaps", description="Folder for the private database and the logs of this instance."
    )
    database_url: str = Field(
        "", description="postgresql://… of your own PostGIS; empty: a private cluster is started."
    )
    public_url: str = Field(
        "",
        description="Address and path prefix at which people reach the service, behind a portal's proxy; "
        "every absolute link is built from it. Empty: http://HOST:PORT.",
    )
    frame_origins: str = Field(
        "", description="Origins, separated by spaces, whose pages may show the map in an iframe. Empty: none."
    )
    background_url: str = Field(
        "",
        description="Raster tiles for the map's background, such as https://tile.example.org/{z}/{x}/{y}.png. "
        "Empty: no background, and no request to another host.",
    )
    report_url: str = Field(
        "",
        description="Address of the city's complaint system, linked from every place. It may hold {place} (the place's "
        "own address), {name}, {district} (code), {lon} and {lat}. Empty: no link.",
    )
    procedure_url: str = Field(
        "",
        description="Address of the city's e-services portal, with the same placeholders. Empty: no link.",
    )
    contact: str = Field(
        "",
        description="Whom the accessibility statement has people tell what keeps them from using the service: an "
        "e-mail address or that of a page. Empty: the administration that offers the service, without an address.",
    )
    background_attribution: str = Field("", description="Credit for the background, as plain text.")
    time_zone: str = Field("Africa/Casablanca", description="The city's time zone: whose midnight a date means.")
    statement_timeout: float = Field(
        5.0, gt=0, le=600, description="Seconds that one public query may take in the database."
    )
    pool_size: int = Field(8, ge=1, le=100, description="Database connections; 2 to 4 a core serve tiles fastest.")
    max_bytes: int = Field(
        20_000_000,
        ge=10_000,
        le=1_000_000_000,
        description="Largest page of features in bytes; a longer one is cut and goes on at its next link.",
    )

    export_timeout: float = Field(
        600.0, gt=0, le=86400, description="Seconds that one whole-result download may take to be made or streamed."
    )
    exports: int = Field(
        4, ge=1, le=100, description="Whole-result downloads at once; each has a database connection of its own."
    )
    export_dir: Path | None = Field(
        None,
        description="Folder for files while they are made, on a disk with room for them. "
        "Empty: the system's folder for temporary files.",
    )

    @field_validator("export_dir", mode="before")
    @classmethod
    def _export_dir(cls, value: object) -> object:
        if value in ("", None):
            return None
        folder = Path(str(value)).expanduser().absolute()
        if not folder.is_dir():
            raise ValueError("must be a folder that is there")
        return folder

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return str(zone(value))

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        if not value:
            return value
        if not re.fullmatch(ORIGIN + r"(/[\w.~%-]+)*/?", value, re.ASCII):
            raise ValueError("must be like https://maps.example.org/prefix, without query or fragment, in ASCII")
        prefix = urlsplit(value).path.strip("/")
        if prefix in _PAGES or re.fullmatch("(maps|embed)(/[^/]+)?", prefix):
            # A proxy that takes the prefix off could not be told from one that asks for our own page.
            raise ValueError(f"must have a prefix other than {', '.join(sorted(_PAGES))}, maps, embed")
        return value.rstrip("/")

    @field_validator("frame_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in value.split():
            if not re.fullmatch(ORIGIN, origin, re.ASCII):
                raise ValueError(f"'{origin}' is not an origin like https://portal.example.org")
        return " ".join(value.split())

    @field_validator("background_url")
    @classmethod
    def _background(cls, value: str) -> str:
        placeholders = all(part in value for part in ("{z}", "{x}", "{y}"))
        # Its host goes into the Content-Security-Policy.
        if value and not (placeholders and re.match(ORIGIN.replace("[A-Z", "[{}A-Z") + "/", value, re.ASCII)):
            raise ValueError("must be like https://tile.example.org/{z}/{x}/{y}.png")
        return value

    @field_validator("report_url", "procedure_url")
    @classmethod
    def _template(cls, value: str) -> str:
        # The host is fixed; what is put in afterwards is quoted, so it stays where it is put.
        if value and not re.match(ORIGIN + r"(/|\?|$)", value, re.ASCII):
            raise ValueError("must be like https://services.example.org/report?place={place}&lon={lon}&lat={lat}")
        rest = re.sub("|".join(re.escape("{" + name + "}") for name in PLACE_PARTS), "", value)
        if re.search(r"[{}\s\"<>\\^`|\x00-\x1f\x7f]", rest):
            allowed = ", ".join("{" + name + "}" for name in PLACE_PARTS)
            raise ValueError(f"must be an address with no placeholders but {allowed}")
        return value

    @field_validator("contact")
    @classmethod
    def _contact(cls, value: str) -> str:
        page = re.fullmatch(ORIGIN + r"([/?][^\s\"<>\\^`{|}\x00-\x1f\x7f]*)?", value, re.ASCII)
        if value and not page and not re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", value, re.ASCII):
            raise ValueError("must be like acces@city.example or https://www.city.example/contact")
        return value

    @cached_property
    def base_url(self) -> str:
        """Public address without a slash at its end; the root of every absolute link."""
        if self.public_url:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(
            self.host, f"[{self.host}]" if ":" in self.host else self.host
        )
        return f"http://{host}:{self.port}"

    @cached_property
    def base_path(self) -> str:
        """Path prefix of the public address, such as ``/maps``; empty without one."""
        return urlsplit(self.base_url).path

    @cached_property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return zone(self.time_zone)

    @cached_property
    def allowed_hosts(self) -> frozenset[str]:
        """Host names, without port, that a request may name."""
        own = "" if self.host in ("0.0.0.0", "::") else self.host
        public = urlsplit(self.base_url).hostname or ""
        return frozenset({"127.0.0.1", "localhost", "::1", own.lower(), public.lower()} - {""})


def load_settings(**overrides: object) -> Settings:
    """Read the settings; ``overrides`` (from the command line) go before the environment.

    Raises
    ------
    SetupError
        Naming the variable, its value and what it may be.
    """
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise SetupError(
            "settings.invalid",
            parameter="CASAMAPS_" + str(first["loc"][0]).upper(),
            value=str(first.get("input")),
            allowed=str(first["msg"]).removeprefix("Value error, "),
        ) from error
