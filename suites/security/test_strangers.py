"""What people learn who are not logged in, or have nothing to do with each other."""

import secrets
from urllib.parse import quote

import httpx
import pytest

from fixtures.clients.accounts import register
from fixtures.clients.journey import shared_room
from fixtures.clients.plain import Json, MatrixClient
from fixtures.deployment.correlation import REQUEST_ID, answered_by
from fixtures.deployment.inside import every_pod
from fixtures.deployment.interface import Deployment
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence

V3 = "/_matrix/client/v3"
REGISTRATION = "10-registration.yaml"

CLOSED = {
    "a guest's account": ("POST", f"{V3}/register?kind=guest", httpx.codes.FORBIDDEN),
    "the room directory": ("GET", f"{V3}/publicRooms", httpx.codes.UNAUTHORIZED),
    "a profile": ("GET", f"{V3}/profile/USER", httpx.codes.UNAUTHORIZED),
    "a display name": ("GET", f"{V3}/profile/USER/displayname", httpx.codes.UNAUTHORIZED),
    "whether a name is taken": ("GET", f"{V3}/register/available?username=NAME", httpx.codes.FORBIDDEN),
    "the user directory": ("POST", f"{V3}/user_directory/search", httpx.codes.UNAUTHORIZED),
}
"""What somebody without an account might ask for, and how he is refused."""


@pytest.mark.requirement("SEC-014")
@pytest.mark.parametrize("what", CLOSED)
async def test_whoever_is_not_logged_in_learns_nothing(
    what: str, alice: MatrixClient, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Alice has an account. A request without a token, about her where it is about somebody, is refused."""
    method, template, expected = CLOSED[what]
    name = alice.user_id.removeprefix("@").partition(":")[0]
    path = template.replace("USER", quote(alice.user_id)).replace("NAME", name)
    answer = await http.request(method, path, json={"search_term": name} if method == "POST" else None)
    evidence("answer", {"status": answer.status_code, "body": answer.text[:200]})
    assert answer.status_code == expected, (
        f"{what} is open: {method} {path} without a token gave {answer.status_code}, not {expected}; "
        f"see {REGISTRATION}"
    )


@pytest.mark.requirement("SEC-014")
async def test_a_login_does_not_tell_who_has_an_account(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """A wrong password for an account and for a name that nobody has: the same answer, word by word."""
    account = await register(deployment, "alice")
    nobody = account.user_id.replace("alice", "nobody")
    answers = {}
    for user in (account.user_id, nobody):
        body = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}}
        answer = await http.post(f"{V3}/login", json=body | {"password": secrets.token_urlsafe(16)})
        answers[user] = (answer.status_code, answer.text)
    evidence("answers", list(answers.values()))
    assert answers[account.user_id] == answers[nobody], f"POST /login tells an account from none: {answers}"


@pytest.mark.requirement("SEC-014")
async def test_strangers_do_not_find_each_other(
    alice: MatrixClient, bob: MatrixClient, evidence: Evidence
) -> None:
    """Alice searches for Bob and asks for his profile: nothing, until they share a room; then she finds both."""
    name = bob.user_id.removeprefix("@").partition(":")[0]
    profile = f"{V3}/profile/{quote(bob.user_id)}"

    async def found() -> list[Json]:
        answer = await alice.call("POST", f"{V3}/user_directory/search", json={"search_term": name})
        results: list[Json] = answer["results"]
        return results

    async def shown() -> list[Json]:
        if not (results := await found()):
            raise NotYet("the directory shows nobody")
        return results

    before, hidden = await found(), await alice.request("GET", profile)
    await shared_room(alice, bob)
    after = await eventually(shown, within=Budget.DELIVERY, label="Bob in the user directory")
    open_ = await alice.request("GET", profile)
    evidence("profile before and after", [hidden.status_code, open_.status_code])
    assert [each["user_id"] for each in after] == [bob.user_id], f"the directory shows {after}"
    assert open_.is_success, f"Alice shares a room with Bob and gets {open_.status_code} for his profile"
    assert not before, f"a stranger finds {before}; set user_directory.search_all_users to false"
    assert hidden.is_error, (
        f"a stranger sees a profile ({hidden.text:.80}); set limit_profile_requests_to_users_who_share_rooms"
    )


@pytest.mark.requirement("SEC-015")
@pytest.mark.parametrize("path", ["/_matrix/client/v1/media/preview_url", "/_matrix/media/v3/preview_url"])
async def test_no_link_is_fetched_for_a_user(
    path: str, deployment: Deployment, alice: MatrixClient, evidence: Evidence
) -> None:
    """Alice asks for a preview of an inner address that would be seen in a log. Expected: unknown, and nobody calls."""
    sign = secrets.token_hex(8)
    for port, url in (("main", "http://synapse-main:8008"), ("loopback", "http://127.0.0.1:8008")):
        answer = await alice.request("GET", path, params={"url": f"{url}/_matrix/{sign}"})
        evidence(port, {"status": answer.status_code, "body": answer.text[:200]})
        assert answer.status_code == httpx.codes.NOT_FOUND, (
            f"a preview of {url}: {answer.status_code} {answer.text:.80}; set url_preview_enabled to false"
        )
    await answered_by(deployment, (await alice.request("GET", f"{V3}/joined_rooms")).headers[REQUEST_ID])
    called = [
        f"{pod.name}: {line:.300}"
        for pod in await every_pod(deployment)
        async for line in deployment.logs(pod)
        if sign in line and "preview_url" not in line
    ]
    assert not called, f"an inner address was called for a user: {called}"
