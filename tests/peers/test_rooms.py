"""A room of the fake federation server: state, history, authority."""

import pytest

from fixtures.peers.federation_server.authorisation import CREATE, JOIN_RULES, POWER_LEVELS, selected
from fixtures.peers.federation_server.rooms import Room
from fixtures.peers.federation_server.versions import VERSIONS, Json

ANN = ("m.room.member", "@ann:a")
BOB = ("m.room.member", "@bob:b")


def a_room(length: int) -> tuple[Room, list[str]]:
    """A room with a name that is changed again and again; the ids."""
    room = Room("!r:a", VERSIONS["11"])
    first = {"type": "m.room.create", "sender": "@ann:a", "state_key": "", "content": {}}
    names = [room.append({**room.draft(first), "auth_events": []})]
    for number in range(length):
        name = {
            "type": "m.room.name",
            "sender": "@ann:a",
            "state_key": "",
            "content": {"name": f"{number}"},
        }
        names.append(room.append(room.draft(name | {"origin_server_ts": number})))
    return room, names


def test_events_follow_each_other() -> None:
    room, names = a_room(3)
    assert [room.events[name]["prev_events"] for name in names[1:]] == [[name] for name in names[:-1]]
    assert [room.events[name]["depth"] for name in names] == [1, 2, 3, 4]
    assert room.extremities == names[-1:]
    assert room.events[names[-1]]["auth_events"] == names[:1]


def test_state_is_what_came_last() -> None:
    room, names = a_room(3)
    assert room.state()["m.room.name", ""] == names[-1]
    assert room.state_before(names[2])["m.room.name", ""] == names[1]
    assert ("m.room.name", "") not in room.state_before(names[1])


def test_an_event_is_taken_once() -> None:
    room, names = a_room(1)
    assert room.append(room.events[names[0]]) == names[0]
    assert (room.log, room.extremities) == (names, names[-1:])


def test_history_is_nearest_first_and_ends_where_it_must() -> None:
    room, names = a_room(4)
    back = names[::-1]
    assert room.history(names[-1:], limit=3) == back[:3]
    assert room.history(names[-1:], limit=10, stop=[names[2]]) == back[:2]
    assert room.auth_chain(names[-1:]) == names[:1]


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        ({"type": "m.room.create", "sender": "@ann:a", "state_key": "", "content": {}}, ()),
        ({"type": "m.room.message", "sender": "@ann:a", "content": {}}, (CREATE, POWER_LEVELS, ANN)),
        (
            {
                "type": "m.room.member",
                "sender": "@ann:a",
                "state_key": "@bob:b",
                "content": {"membership": "ban"},
            },
            (CREATE, POWER_LEVELS, ANN, BOB),
        ),
        (
            {
                "type": "m.room.member",
                "sender": "@bob:b",
                "state_key": "@bob:b",
                "content": {"membership": "join", "join_authorised_via_users_server": "@ann:a"},
            },
            (CREATE, POWER_LEVELS, BOB, JOIN_RULES, ANN),
        ),
    ],
    ids=["create", "message", "ban", "restricted join"],
)
def test_authority_is_what_the_specification_selects(event: Json, keys: tuple[tuple[str, str], ...]) -> None:
    assert selected(event, VERSIONS["11"]) == keys
    assert selected(event, VERSIONS["12"]) == tuple(key for key in keys if key != CREATE)
