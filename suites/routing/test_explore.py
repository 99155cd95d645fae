import json, time, asyncio
from signal import Signals
import pytest, httpx
from urllib.parse import quote
from fixtures.clients.plain import MatrixClient
from fixtures.deployment.roles import Role
from fixtures.deployment.interface import *
from fixtures.deployment.waiting import *
from fixtures.deployment.correlation import *
from fixtures.rendering.objects import Ref

@pytest.mark.requirement("CLI-001")
async def test_x(deployment, alice, http):
    r = await alice.request("GET", "/_matrix/client/v3/joined_rooms", headers={"X-Request-ID": "mine"})
    print(r.headers)
    rid = r.headers["X-Request-ID"]
    pod = await answered_by(deployment, rid)
    print(pod)
    async for line in deployment.logs(pod):
        if rid in line: print(line)
    for p, path in [("client","/_synapse/admin/v1/server_version"),("metrics","/_synapse/metrics"),("metrics","/metrics"),("replication","/_synapse/replication/"),("replication","/_synapse/replication/get_room_version"),("client","/_synapse/metrics")]:
        async with deployment.dial(Ref("Service","synapse-main"), p) as a:
            async with httpx.AsyncClient(trust_env=False) as h:
                x = await h.get(f"http://{a.host}:{a.port}{path}")
                print(p, path, x.status_code, x.text[:80])
        x = await http.get(path); print("front", path, x.status_code, x.text[:100])
    for path in ("//_synapse/admin/v1/server_version", "/%5Fsynapse/admin/v1/server_version","/_matrix/../_synapse/admin/v1/server_version"):
        x = await http.get(path); print("front", path, x.status_code, x.text[:100], x.url)
    for how in ("kill","kill","delete","delete"):
        (w,) = await deployment.pods(Role.GENERIC_WORKER)
        if how=="kill": await deployment.signal(w, Signals.SIGKILL)
        else: await deployment.delete_pod(w, grace=0)
        t0=time.monotonic(); seen=[]
        while time.monotonic()-t0 < 6:
            t1=time.monotonic()
            r = await alice.request("GET", "/_matrix/client/v3/joined_rooms")
            t2=time.monotonic()
            who = await logged_by(deployment, r.headers["X-Request-ID"])
            if who is None:
                await asyncio.sleep(0.02); who = await logged_by(deployment, r.headers["X-Request-ID"])
            s = (r.status_code, who and who.role.value)
            if not seen or seen[-1][1]!=s: seen.append((round(t1-t0,2), s, round(t2-t0,2)))
            await asyncio.sleep(0.02)
        print(how, seen)
        await deployment.settled(within=20)
    assert 0
