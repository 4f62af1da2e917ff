#!/usr/bin/python3
"""The HTTP API, every route, over four workers: what it does and refuses."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from backend import Guarded
from binary import ROOT
from bus import Bus
from check import at_least, equal, main, test, wait_until


def event(client, name):
    """Wait for an event; its data."""
    return client.wait_for(lambda m: m.get("op") == "evt"
                           and m["event"] == name)["data"]


def refused(answer, status, code):
    """It is this error and says why."""
    equal((answer[0], answer[1].get("code")), (status, code), str(answer))
    at_least(len(answer[1]["message"]), 5)


@test
def a_publish_reaches_subscribers_on_every_worker_byte_for_byte(bus):
    clients = [bus.user("u%d" % slot, slot) for slot in range(4)]
    for client in clients:
        client.sub("news")
    back = bus.backend()
    status, answer = back.post(
        "/api/publish", '{"topic":"news","data": [1e400, "\\u00e9",  1.0]}')
    equal((status, answer), (200, {"ok": True}))
    for client in clients:
        while True:
            _, payload = client.frame()
            if b'"op":"msg"' in payload:
                break
        equal(b'"data":[1e400, "\\u00e9",  1.0]' in payload, True,
              str(payload))
        client.close()


@test
def one_connection_can_be_excluded_from_a_publish(bus):
    ann, bob = bus.user("ann", 0), bus.user("bob", 1)
    ann.sub("chat")
    bob.sub("chat")
    back = bus.backend()
    # One request, so one worker: what it publishes arrives in order.
    back.ok("/api/publish", messages=[
        {"topic": "chat", "data": 1, "exclude_conn": ann.conn},
        {"topic": "chat", "data": 2}])
    equal(ann.msg("chat")["data"], 2)
    equal(bob.msg("chat")["data"], 1)
    refused(back.post("/api/publish", {"topic": "chat", "data": 1,
                                       "exclude_conn": "me"}),
            400, "BAD_REQUEST")
    ann.close()
    bob.close()


@test
def bytes_are_published_as_base64(bus):
    ann = bus.user("ann", 2)
    ann.sub("raw")
    back = bus.backend()
    data = base64.b64encode(bytes(range(256))).decode()
    back.ok("/api/publish", topic="raw", data=data, binary=True)
    got = ann.msg("raw")
    equal((got["data"], got["binary"]), (data, True))
    # PHP for one writes a '/' so.
    body = b'{"topic":"raw","binary":true,"data":"\\/\\/8="}'
    equal(back.send(b"POST /api/publish HTTP/1.1\r\nHost: localhost\r\n"
                    b"%b\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (
                        back.lines[0].encode(), len(body), body))[0], 200)
    equal(ann.msg("raw")["data"], "//8=")
    for wrong in ("=", "YQ", 7, None):
        refused(back.post("/api/publish", {
            "topic": "raw", "data": wrong, "binary": True}),
            400, "BAD_REQUEST")
    ann.close()


@test
def a_batch_is_published_in_order_and_each_message_answered(bus):
    ann = bus.user("ann", 3)
    ann.sub("batch")
    back = bus.backend()
    messages = [{"topic": "batch", "data": n} for n in range(1000)]
    messages[10] = {"topic": "", "data": 1}
    messages[20] = {"topic": "batch"}
    messages[30] = 7
    status, answer = back.post("/api/publish", {"messages": messages})
    equal((status, answer["ok"], answer["failed"]), (200, False, 3))
    equal([n for n, one in enumerate(answer["results"]) if not one["ok"]],
          [10, 20, 30])
    equal({one["code"] for one in answer["results"] if not one["ok"]},
          {"BAD_REQUEST"})
    equal([ann.msg("batch")["data"] for _ in range(997)],
          [n for n in range(1000) if n not in (10, 20, 30)])
    refused(back.post("/api/publish", {"messages": messages + [1]}),
            413, "TOO_LARGE")
    refused(back.post("/api/publish", {"messages": 1}), 400, "BAD_REQUEST")
    equal(back.post("/api/publish", {"messages": []})[1],
          {"ok": True, "failed": 0, "results": []})
    ann.close()


@test
def an_event_reaches_a_connection_a_user_a_room_or_all(bus):
    ann, ann2 = bus.user("ann", 0), bus.user("ann", 1)
    bob = bus.user("bob", 2)
    back = bus.backend()
    back.ok("/api/emit", conn=ann.conn, event="one", data={"n": 1})
    back.ok("/api/emit", user="ann", event="user", data=[2])
    equal(back.ok("/api/rooms/lobby/add", user="ann")["changed"], 2)
    equal(back.ok("/api/rooms/lobby/add", conn=bob.conn)["changed"], 1)
    equal(back.ok("/api/rooms/lobby/add", conn=bob.conn)["changed"], 0)
    back.ok("/api/emit", room="lobby", event="room", data=3,
            exclude_conn=ann2.conn)
    back.ok("/api/emit", all=True, event="all", data=4)

    # Requests on different workers may overtake each other.
    for client, wanted in (
            (ann, [("all", 4), ("one", {"n": 1}), ("room", 3),
                   ("user", [2])]),
            (ann2, [("all", 4), ("user", [2])]),
            (bob, [("all", 4), ("room", 3)])):
        got = [client.wait_for(lambda m: m.get("op") == "evt")
               for _ in wanted]
        equal(sorted(((m["event"], m["data"]) for m in got), key=str),
              wanted)
        client.silent(0.1)
    equal(back.ok("/api/rooms/lobby/remove", user="ann")["changed"], 2)
    equal(back.get("/api/presence/room/lobby")[1]["count"], 1)
    for client in (ann, ann2, bob):
        client.close()


@test
def an_emit_needs_one_target(bus):
    back = bus.backend()
    for body in ({"event": "e", "data": 1},
                 {"event": "e", "data": 1, "user": "a", "room": "b"},
                 {"event": "e", "data": 1, "all": False},
                 {"event": "e", "user": "a"}, {"data": 1, "user": "a"},
                 {"event": "e", "data": 1, "user": "a", "exclude_conn": "x"},
                 {"event": "e" * 256, "data": 1, "all": True},
                 {"event": "e", "data": 1, "conn": "nobody"},
                 {"event": "e", "data": 1, "users": "a", "all": True}):
        refused(back.post("/api/emit", body), 400, "BAD_REQUEST")


@test
def watchers_of_a_resource_are_notified(bus):
    clients = [bus.user("w", slot) for slot in range(4)]
    for client in clients:
        client.ok("watch", resource="doc:1")
    back = bus.backend()
    for number in range(40):
        # It stays on the worker that took the request.
        back.ok("/api/notify", resource="doc:1", type="edited", data=number)
    got = clients[0].wait_for(lambda m: m.get("op") == "change")
    equal((got["resource"], got["type"]), ("doc:1", "edited"))
    refused(back.post("/api/notify", {"resource": "doc:1", "data": 1}),
            400, "BAD_REQUEST")
    for client in clients:
        client.abort()


@test
def a_user_or_a_connection_is_kicked_wherever_it_is(bus):
    ann, ann2 = bus.user("ann", 0), bus.user("ann", 3)
    bob, cem = bus.user("bob", 1), bus.user("cem", 2)
    back = bus.backend()
    equal(back.ok("/api/kick", user="ann", code=4000,
                  reason="so long")["kicked"], 2)
    for client in (ann, ann2):
        closed = client.wait_closed()
        equal((closed.code, closed.reason), (4000, "so long"))
    equal(back.ok("/api/kick", conn=bob.conn)["kicked"], 1)
    equal(bob.wait_closed().code, 1008)
    equal(back.ok("/api/kick", conn=bob.conn)["kicked"], 0)
    cem.alive()
    for body in ({}, {"user": "a", "conn": "b"}, {"conn": "b"},
                 {"user": "a", "code": 1005}, {"user": "a", "code": -1},
                 {"user": "a", "reason": "x" * 124}, {"user": ""}):
        refused(back.post("/api/kick", body), 400, "BAD_REQUEST")
    cem.close()


@test
def lists_show_the_whole_bus_and_add_up_what_workers_share(bus):
    wait_until(lambda: bus.total("clients") == 0, 5, "others have gone")
    back = bus.backend()
    clients = [bus.user("ann" if slot < 2 else "bob", slot)
               for slot in range(4)]
    for client in clients:
        client.sub("tea / \u00fc")
        back.ok("/api/rooms/kitchen/add", conn=client.conn)
    clients[0].sub("only")
    rows = {row["conn"]: row for row in back.rows("/api/clients")}
    equal(set(rows), {client.conn for client in clients})
    row = rows[clients[0].conn]
    equal((row["user"], row["role"], row["subscriptions"]),
          ("ann", "user", 2))
    equal(row["address"].startswith("127.0.0.1:"), True)
    equal(sorted(back.rows("/api/topics"), key=str), sorted([
        {"name": "tea / \u00fc", "kind": "shared", "role": "", "clients": 4,
         "listeners": 0},
        {"name": "only", "kind": "shared", "role": "", "clients": 1,
         "listeners": 0}], key=str))
    equal(back.rows("/api/rooms"), [{"name": "kitchen", "clients": 4}])
    equal(sorted((r["user"], r["connections"])
                 for r in back.rows("/api/users")), [("ann", 2), ("bob", 2)])
    equal({r["conn"] for r in back.rows("/api/clients?user=ann")},
          {clients[0].conn, clients[1].conn})
    equal(len(back.rows("/api/clients?topic=only")), 1)
    equal(len(back.rows("/api/clients?room=kitchen")), 4)
    equal(len(back.rows("/api/clients?topic=tea%20/%20%C3%BC")), 4)
    refused(back.get("/api/clients?room=a&user=b"), 400, "BAD_REQUEST")
    refused(back.get("/api/clients?room="), 400, "BAD_REQUEST")
    for path, count in (("user/ann", 2), ("room/kitchen", 4),
                        ("topic/tea%20%2F%20%C3%BC", 4), ("room/none", 0),
                        ("topic?name=tea%20%2F%20%C3%BC", 4)):
        status, answer = back.get("/api/presence/" + path)
        equal((status, answer["count"], len(answer["rows"])),
              (200, count, count), path)
    refused(back.get("/api/presence/house/x"), 404, "NOT_FOUND")
    refused(back.get("/api/presence/room/"), 400, "BAD_REQUEST")
    for client in clients:
        client.close()


@test
def why_tells_all_about_one_connection(bus):
    ann = bus.user("ann", 3)
    back = bus.backend()
    ann.sub("a")
    ann.ok("watch", resource="doc:7")
    back.ok("/api/rooms/add", room="den", conn=ann.conn)
    row, = back.rows("/api/why/" + ann.conn)
    equal((row["conn"], row["user"], row["state"], row["topics"],
           row["rooms"], row["watches"], row["dropped"], row["gaps"]),
          (ann.conn, "ann", "open", ["a"], ["den"], ["doc:7"], 0, 0))
    equal(0 < row["expires_s"] <= 600, True)
    ann.close()
    wait_until(lambda: back.get("/api/why/" + ann.conn)[0] == 404, 5)
    refused(back.get("/api/why/nobody"), 400, "BAD_REQUEST")


@test
def status_is_that_of_busctl(bus):
    status, answer = bus.backend().get("/api/status")
    equal(status, 200)
    other = bus.status()
    equal(set(other) - set(answer), set())
    equal([w["pid"] for w in answer["workers"]],
          [w["pid"] for w in other["workers"]])
    equal(set(answer["total"]), set(other["total"]))
    equal(set(answer["hub"]), set(other["hub"]))
    equal(answer["primary"]["alive"], True)


@test
def requests_and_errors_are_counted(bus):
    back = bus.backend()
    requests, errors = bus.total("api_requests"), bus.total("api_errors")
    back.ok("/api/publish", topic="x", data=1)
    refused(back.get("/api/nothing"), 404, "NOT_FOUND")
    refused(back.send(b"DELETE /api/publish HTTP/1.1\r\nHost: x\r\n"
                      + back.lines[0].encode() + b"\r\n\r\n"),
            405, "BAD_REQUEST")
    wait_until(lambda: (bus.total("api_requests"), bus.total("api_errors"))
               == (requests + 3, errors + 2), 5, "they are counted")


@test
def the_contract_says_what_may_be_published_and_pushed():
    with Guarded(2, contract=CONTRACT) as bus:
        ann = bus.user("ann", 1)
        back = bus.backend()
        ann.sub("announce")
        answer = back.post("/api/publish", {"topic": "announce",
                                            "data": {"text": 7}})
        refused(answer, 422, "VALIDATION")
        equal(answer[1]["message"],
              "data/text: this must be of type string (/properties/text/type)")
        refused(back.post("/api/publish", {"topic": "nothing", "data": 1}),
                404, "NOT_FOUND")
        refused(back.post("/api/emit", {"all": True, "event": "nothing",
                                        "data": 1}), 404, "NOT_FOUND")
        refused(back.post("/api/emit", {"all": True, "event": "alarm",
                                        "data": 1}), 422, "VALIDATION")
        back.ok("/api/publish", topic="announce", data={"text": "hi"})
        equal(ann.msg("announce")["data"], {"text": "hi"})
        back.ok("/api/emit", user="ann", event="alarm", data="now")
        equal(event(ann, "alarm"), "now")


def with_curl(function):
    """Left out where there is no curl."""
    return test(function) if shutil.which("curl") else function


@with_curl
def the_curl_lines_of_the_readme_work():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        block = file.read().partition("<!-- api -->\n```sh\n")[2]
    lines = block.partition("```")[0].splitlines()
    at_least(len(lines), 10, "lines in the README")
    with Bus(2) as bus:
        place = "%s:%d" % bus.address
        for line in lines:
            done = subprocess.run(
                ["sh", "-c", line.replace("127.0.0.1:8080", place)],
                capture_output=True, timeout=20)
            equal((done.returncode, done.stderr), (0, b""), line)
            answer = json.loads(done.stdout)
            equal("code" in answer, False, line + ": " + str(answer)[:200])
        at_least(bus.total("api_requests"), len(lines))
        equal(bus.total("api_errors"), 0)


def write_contract():
    """A contract with a topic and an event."""
    with tempfile.NamedTemporaryFile("w", suffix=".json",
                                     delete=False) as file:
        json.dump({"shared": {"serverToClient": {
            "announce": {"subscribe": True, "payload": {
                "type": "object",
                "properties": {"text": {"type": "string"}}}},
            "alarm": {"payload": {"type": "string"}}}},
            "roles": {"user": {}, "admin": {}}}, file)
        return file.name


if __name__ == "__main__":
    CONTRACT = write_contract()
    try:
        main(shared=Guarded(4))
    finally:
        os.unlink(CONTRACT)
