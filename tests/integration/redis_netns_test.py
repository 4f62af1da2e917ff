#!/usr/bin/python3
"""Two hosts in two network namespaces, and the cable between them.

timeout: 120
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import BUILD
from cabled import TOPIC, Cabled
from check import equal, main, skip_all, test, wait_until
from redis_server import RedisServer

if not os.path.exists(os.path.join(BUILD, "clusterbus-redis.so")):
    skip_all("built without hiredis")

PASSWORD = "sesame-street"


def redis(near):
    """A redis-server in that namespace."""
    server = RedisServer(tcp=True, password=PASSWORD,
                         bind=near.address).__enter__()
    return server, "redis://:%s@%s:%d" % (PASSWORD, near.address, server.port)


@test
def worker_1_of_one_host_reaches_worker_3_of_the_other(cabled):
    cabled.both_ways()


@test
def a_pulled_cable_is_noticed_and_both_hosts_go_on_alone(cabled):
    far = cabled.buses[1]
    writer, reader = cabled.connect(1, 0), cabled.connect(1, 2)
    near = cabled.connect(0, 0)
    cabled.spaces[1].cable(False)
    for number in range(100):
        writer.pub(TOPIC, number)
        equal(reader.msg(TOPIC, 2.0)["data"], number)
    wait_until(lambda: far.hub("sync_connected") == 0, 15, "noticed")
    equal(cabled.buses[0].hub("sync_connected"), 1)
    writer.pub(TOPIC, "alone")
    equal(reader.msg(TOPIC, 2.0)["data"], "alone")
    cabled.spaces[1].cable(True)
    wait_until(lambda: far.hub("sync_connected") == 1, 40, "back")
    writer.pub(TOPIC, "together")
    equal(reader.msg(TOPIC)["data"], "together")
    wait_until(lambda: near.msg(TOPIC)["data"] == "together", 5, "at both")
    equal(far.hub("sync_reconnects"), 1)


main(Cabled(redis))
