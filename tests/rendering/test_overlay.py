"""What an overlay says about itself through Synapse's drop-ins."""

import pytest

from fixtures.rendering.objects import Manifest, RenderingError
from fixtures.rendering.overlay import front_hosts, public_baseurl, server_name, synapse_configuration


def drop_ins(**files: str) -> list[Manifest]:
    data = {f"{name[1:]}.yaml": text for name, text in files.items()}
    return [{"kind": "ConfigMap", "metadata": {"name": "synapse-conf.d-2456789bcd"}, "data": data}]


def test_the_last_drop_in_wins_per_top_level_key() -> None:
    objects = drop_ins(_70="a: {x: 1}\n", _10="a: {x: 0, y: 0}\nb: 0\n")
    assert synapse_configuration(objects) == {"a": {"x": 1}, "b": 0}


def test_names_of_the_front_door_have_no_ports_and_no_doubles() -> None:
    objects = drop_ins(_10="server_name: 'a.test:8448'\npublic_baseurl: https://b.test:444/\n")
    assert server_name(objects) == "a.test:8448"
    assert front_hosts(objects) == ("a.test", "b.test")
    assert public_baseurl(objects) == "https://b.test:444"
    assert front_hosts(drop_ins(_10="server_name: a.test\npublic_baseurl: https://a.test/\n")) == ("a.test",)


def test_a_missing_name_says_where_to_set_it() -> None:
    with pytest.raises(RenderingError, match=r"server_name: not set; set it in a drop-in"):
        server_name(drop_ins(_10="a: 1\n"))


def test_a_missing_config_map_says_what_to_add() -> None:
    with pytest.raises(RenderingError, match="add config/synapse"):
        synapse_configuration([])


def test_a_drop_in_that_is_no_mapping_is_named() -> None:
    with pytest.raises(RenderingError, match=r"10\.yaml: must be a mapping"):
        synapse_configuration(drop_ins(_10="- a\n"))
