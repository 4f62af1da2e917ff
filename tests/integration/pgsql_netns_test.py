#!/usr/bin/python3
"""Two hosts in two network namespaces, joined by PostgreSQL.

timeout: 120
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import BUILD
from cabled import Cabled
from check import main, skip_all, test
from pg_server import PgServer

if not os.path.exists(os.path.join(BUILD, "clusterbus-pgsql.so")):
    skip_all("built without libpq")


def postgres(near):
    """A PostgreSQL server in that namespace, open to the other one."""
    server = PgServer(tcp=True, listen_addresses=near.address)
    with open(os.path.join(server.data, "pg_hba.conf"), "a") as file:
        file.write("host all all %s/24 scram-sha-256\n" % near.address)
    server.__enter__()
    return server, server.url(tcp=True).replace("127.0.0.1", near.address)


@test
def worker_1_of_one_host_reaches_worker_3_of_the_other(cabled):
    cabled.both_ways()


main(Cabled(postgres))
