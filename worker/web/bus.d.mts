/* bus.d.mts - bus.d.ts for bus.mjs. */
export * from "./bus.js";
