"""What pytest loads for this project."""

pytest_plugins = [
    "pytester",
    "reports.collection",
    "fixtures.plugins.manifests",
    "fixtures.plugins.judging",
    "fixtures.plugins.coverage",
    "fixtures.plugins.programs",
    "fixtures.plugins.cleaning",
    "fixtures.plugins.deployment",
    "fixtures.plugins.admission",
    "fixtures.plugins.clients",
    "fixtures.plugins.browser",
    "fixtures.plugins.history",
    "fixtures.plugins.peers",
    "fixtures.plugins.resources",
]
