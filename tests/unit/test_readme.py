"""The README keeps up with the settings and the commands."""

from api.settings import PROJECT, Settings

README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_explained():
    for name in Settings.model_fields:
        assert f"CASAMAPS_{name.upper()}" in README, name


def test_every_setting_says_what_it_is_for():
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert len(field.description) > 10, name


def test_the_example_layer_is_valid():
    from layers.definition import parse_definition

    example = README.split("```yaml")[1].split("```")[0]
    assert parse_definition(example, "trees.yaml").id == "trees"


def test_the_picture_is_there():
    assert (PROJECT / "docs" / "map.png").stat().st_size < 500_000
