"""Where secrets must not turn up: in logs, in lists of processes, in files that others may read."""

import secrets

import httpx
import pytest

from fixtures.clients.accounts import register
from fixtures.clients.media import upload
from fixtures.clients.plain import MatrixClient, log_in
from fixtures.deployment.correlation import REQUEST_ID, answered_by
from fixtures.deployment.inside import (
    containers_of,
    every_pod,
    files_below,
    files_with,
    mounts_of_secrets,
    running_containers,
    words,
    writable_mounts,
)
from fixtures.deployment.interface import Deployment
from fixtures.deployment.leaks import Confidential, leaks
from fixtures.deployment.roles import Role
from fixtures.deployment.waiting import Budget, NotYet, eventually
from fixtures.plugins.evidence import Evidence


async def logs(deployment: Deployment) -> dict[str, str]:
    """Everything that every container of every pod has written so far."""
    return {
        f"{pod.name}/{name}": "\n".join([line async for line in deployment.logs(pod, container=name)])
        for pod in await every_pod(deployment)
        for name in [each.spec["name"] for each in await containers_of(deployment, pod)]
    }


async def everything_logged(deployment: Deployment, http: httpx.AsyncClient) -> dict[str, str]:
    """All logs, when a last request is in that of HAProxy and in one of Synapse."""
    last = (await http.get("/_matrix/client/versions")).headers[REQUEST_ID]
    await answered_by(deployment, last)

    async def complete() -> dict[str, str]:
        found = await logs(deployment)
        edge = [f"{pod.name}/{pod.containers[0]}" for pod in await deployment.pods(Role.HAPROXY)]
        if not any(last in found[name] for name in edge):
            raise NotYet(f"the last request is not in the log of {', '.join(edge)}")
        return found

    return await eventually(complete, within=Budget.LOG_LINE, label="the log of HAProxy is complete")


@pytest.mark.requirement("SEC-007")
async def test_an_access_token_is_in_no_log(
    deployment: Deployment, alice: MatrixClient, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """Alice's token goes by the query, as old clients send it: to workers, to main, to what is not there.

    Expected: those that know it took it, and no container of any pod wrote it down.
    """
    media = await upload(alice, b"content", content_type="text/plain")
    paths = {
        "/_matrix/client/v3/account/whoami": httpx.codes.OK,
        "/_matrix/client/v3/sync": httpx.codes.OK,
        "/_matrix/client/v3/devices": httpx.codes.OK,
        media.path: httpx.codes.OK,
        "/_matrix/client/v3/nothing": httpx.codes.NOT_FOUND,
        "/_synapse/admin/v1/register": httpx.codes.FORBIDDEN,
        "/nothing": httpx.codes.NOT_FOUND,
    }
    for path, expected in paths.items():
        answer = await http.get(path, params={"access_token": alice.access_token})
        assert answer.status_code == expected, (
            f"GET {path}?access_token=…: {answer.status_code}, not {expected}"
        )
    found = await everything_logged(deployment, http)
    evidence("lines", {name: text.count("\n") + 1 for name, text in found.items()})
    told = [name for name, text in found.items() if alice.access_token in text]
    assert not told, f"an access token is in the log of {', '.join(told)}; log paths without their query"


@pytest.mark.requirement("SEC-007")
async def test_a_password_is_in_no_log(
    deployment: Deployment, http: httpx.AsyncClient, evidence: Evidence
) -> None:
    """A log-in with the right password, one with a wrong one, one in JSON with a comma too many: nobody logs them."""
    account, wrong, broken = (
        await register(deployment, "alice"),
        secrets.token_urlsafe(),
        secrets.token_urlsafe(),
    )
    await log_in(http, account.user_id, account.password)
    login = "/_matrix/client/v3/login"
    body = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": account.user_id}}
    answers = [
        await http.post(login, json=body | {"password": wrong}),
        await http.post(login, content=f'{{"type": "m.login.password", "password": "{broken}",}}'),
    ]
    assert [answer.status_code for answer in answers] == [httpx.codes.FORBIDDEN, httpx.codes.BAD_REQUEST]
    found = await everything_logged(deployment, http)
    passwords = {"the right": account.password, "a wrong": wrong, "in broken JSON a": broken}
    told = [
        f"{which} password in the log of {name}"
        for which, password in passwords.items()
        for name, text in found.items()
        if password in text
    ]
    evidence("told", told)
    assert not told, f"{', '.join(told)}; set the level of that logger in config/synapse/log.yaml"


@pytest.mark.requirement("SEC-007")
async def test_no_secret_is_in_a_log(
    deployment: Deployment,
    http: httpx.AsyncClient,
    secret_words: tuple[Confidential, ...],
    evidence: Evidence,
) -> None:
    """Every log since the start, init containers included: no Secret's value, nor what a censor put in its place."""
    found = await everything_logged(deployment, http)
    evidence("lines", {name: text.count("\n") + 1 for name, text in found.items()})
    told = [
        f"Secret/{ref.name} {ref.key} in the log of {name}"
        for name, text in found.items()
        for ref in leaks(text.encode(), secret_words)
    ]
    assert not told, f"{', '.join(told)}; find who writes it, and rotate it"


@pytest.mark.requirement("SEC-008")
async def test_no_secret_is_in_a_list_of_processes(
    deployment: Deployment, secret_words: tuple[Confidential, ...], evidence: Evidence
) -> None:
    """Arguments and variables of all processes, read twice in every container.

    Arguments count at once. Of variables those count that are there both times: a probe that lives for a moment may
    hand its password to redis-cli, which takes it no other way.
    """
    told, seen = [], {}
    async for pod, container in running_containers(deployment):
        name = container.spec["name"]
        first, second = [await words(deployment, pod, name) for _ in range(2)]
        lasting = {(word.process, word.where, word.text) for word in first}
        seen[f"{pod.name}/{name}"] = len(second)
        for word in second:
            if word.where == "environ" and (word.process, word.where, word.text) not in lasting:
                continue
            told += [
                f"{pod.name}/{name}: Secret/{ref.name} {ref.key} in {word.where} of process {word.process}"
                for ref in leaks(word.text, secret_words)
            ]
    evidence("arguments and variables", seen)
    assert all(seen.values()), f"containers in which nothing was seen: {seen}"
    assert not told, f"{'; '.join(told)}; hand it over as a file"


@pytest.mark.requirement("SEC-009")
async def test_secrets_are_readable_by_their_user_alone(
    deployment: Deployment, secret_words: tuple[Confidential, ...], evidence: Evidence
) -> None:
    """Files of mounted Secrets, and files that hold a Secret's value on any other volume: nothing for everybody."""
    told, seen = [], {}
    texts = [form for each in secret_words for form in each.forms()]
    async for pod, container in running_containers(deployment):
        name = container.spec["name"]
        mounted, elsewhere = mounts_of_secrets(container), writable_mounts(container)
        files = await files_below(deployment, pod, name, mounted) if mounted else ()
        files += await files_with(deployment, pod, name, elsewhere, texts) if elsewhere else ()
        seen[f"{pod.name}/{name}"] = [str(file) for file in files]
        told += [f"{pod.name}/{name}: {file}" for file in files if file.for_everybody]
        assert files or not mounted, f"{pod.name}/{name}: nothing is in {', '.join(mounted)}"
    evidence("files", seen)
    assert not told, f"{'; '.join(told)}: readable by everybody; set defaultMode 0440, or umask 077"
