"""What several tests of security look at."""

import pytest

from fixtures.deployment.edge import everything_in_rotation
from fixtures.deployment.interface import Absent, Deployment
from fixtures.deployment.leaks import Confidential, confidential, confidential_refs
from fixtures.rendering.secrets import Declarations


@pytest.fixture(scope="session")
async def workers_in_rotation(deployment: Deployment) -> None:
    """HAProxy has found every worker."""
    await everything_in_rotation(deployment)


@pytest.fixture
async def secret_words(deployment: Deployment, declarations: Declarations) -> tuple[Confidential, ...]:
    """What is secret in every Secret of the deployment, as it is now."""
    found = {ref: await deployment.secret(ref) for ref in confidential_refs(declarations)}
    words = tuple(confidential(ref, value) for ref, value in found.items() if not isinstance(value, Absent))
    assert len(words) == len(found), "a declared Secret is not there: nothing can be said about its value"
    return words
