"""Asks the search."""


def found(client, q, **more):
    answer = client.get("/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["features"]
