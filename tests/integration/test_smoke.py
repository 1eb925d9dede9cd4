def test_ready(client):
    answer = client.get("/readyz")
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "migrations": "ok", "data": "ok"}}


def test_counts(client):
    counts = {item["id"]: item["itemCount"] for item in client.get("/collections").json()["collections"]}
    assert counts["facilities"] == 450
