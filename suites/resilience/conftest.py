"""Faults are tried on the roles that the overlay has."""

import pytest

from fixtures.deployment.roles import Role, role_of
from fixtures.plugins.manifests import rendered
from fixtures.rendering.objects import RenderingError, pod_template_of, workloads


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`any_role`: each role that a workload of the overlay plays."""
    if "any_role" in metafunc.fixturenames:
        metafunc.parametrize("any_role", _roles(metafunc.config), ids=str)


def _roles(config: pytest.Config) -> list[Role]:
    try:
        objects = rendered(config, config.getoption("--overlay"))
    except RenderingError:
        return list(Role)  # the fixture `objects` will say what is wrong
    playing = {role_of(pod_template_of(workload)) for workload in workloads(objects)}
    return [role for role in Role if role in playing]
