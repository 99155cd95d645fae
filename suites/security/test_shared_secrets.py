"""Doors inside that a shared secret keeps shut."""

import secrets

import httpx
import pytest

from fixtures.clients.accounts import SHARED_SECRET, ask_for_account, localpart
from fixtures.clients.replication import stream_updates
from fixtures.deployment.interface import Absent, Deployment, SecretRef
from fixtures.deployment.roles import Role
from fixtures.plugins.evidence import Evidence

REPLICATION_SECRET = SecretRef("synapse", "worker_replication_secret")


@pytest.mark.requirement("SEC-013")
@pytest.mark.parametrize("role", [Role.SYNAPSE_MAIN, Role.EVENT_PERSISTER, Role.MEDIA_REPOSITORY], ids=str)
async def test_replication_wants_its_secret(role: Role, deployment: Deployment, evidence: Evidence) -> None:
    """Precondition: with the secret a process answers its replication. Without, or with another one, it does not."""
    secret = await deployment.secret(REPLICATION_SECRET)
    assert not isinstance(secret, Absent), secret
    pods = await deployment.pods(role)
    assert pods, f"no pod plays the role {role}"
    for pod in pods:
        control = await stream_updates(deployment, pod, secret.decode().strip())
        assert control.is_success, f"{pod.name} refuses the secret ({control.status_code}): nothing is proved"
        answers = [
            await stream_updates(deployment, pod, wrong) for wrong in (None, secrets.token_urlsafe(32))
        ]
        evidence(
            f"answers of {pod.name} without, with a wrong secret", [each.status_code for each in answers]
        )
        for answer in answers:
            assert answer.is_error, (
                f"{pod.name} tells its replication to whoever asks ({answer.text:.80}); "
                "set worker_replication_secret_path"
            )


@pytest.mark.requirement("SEC-013")
async def test_registration_wants_its_secret(deployment: Deployment, evidence: Evidence) -> None:
    """Precondition: inside, an account is made by the shared secret. Signed by another one it is refused."""
    secret = await deployment.secret(SHARED_SECRET)
    assert not isinstance(secret, Absent), secret
    wrongs = {"another secret": secrets.token_urlsafe(32).encode(), "an empty one": b""}

    async def answer(key: bytes) -> httpx.Response:
        name, password = localpart(deployment, "stranger"), secrets.token_urlsafe(16)
        return await ask_for_account(deployment, key, name, password, admin=True)

    control = await answer(secret.strip())
    assert control.is_success, f"the secret itself is refused ({control.text:.200}): nothing is proved"
    answers = {what: (await answer(key)).status_code for what, key in wrongs.items()}
    evidence("answers", answers)
    for what, status in answers.items():
        assert status == httpx.codes.FORBIDDEN, (
            f"an administrator's account signed by {what}: {status}; see registration_shared_secret_path"
        )
