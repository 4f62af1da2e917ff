/* bus.mjs - bus.js as an ES module; see there. */
import "./bus.js";

export const { connect, Client, BusError } = globalThis.clusterbus;
