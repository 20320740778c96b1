// A client as the API's description makes it: the types are generated (api.d.ts), and the compiler holds this file to them. Run against a fresh cluster.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const api = createClient<paths>({ baseUrl: process.env.DISTDB_URL! });

type Request = components["schemas"]["Request"];
type Answer = components["schemas"]["Answer"];

async function send(body: Request): Promise<Answer> {
  const { data, error } = await api.POST("/query", { body });
  assert.equal(error, undefined, JSON.stringify(error));
  assert.ok(typeof data === "object", "it is not CSV");
  return data;
}

await send({ command: "create_db", database: "typed", if_not_exists: true });
await send({ command: "create_table", database: "typed", table: "users", columns: { id: "int primary key", name: { type: "string", not_null: true } } });
const written = await send({ command: "insert", database: "typed", table: "users", data: [{ id: 1, name: "Alice" }, { id: 2, name: "Bob" }] });
assert.ok("rows_affected" in written && written.rows_affected === 2);
const found = await send({ command: "search", database: "typed", table: "users", condition: { name: { like: "A%" } }, order_by: "-id" });
assert.ok("columns" in found);
assert.deepEqual(found.rows, [[1, "Alice"]]);
const done = await send({ command: "exec", database: "typed", transaction: [{ query: "SELECT count(*) FROM users" }, { query: "DELETE FROM users WHERE id = ?", params: [2] }] });
assert.ok("results" in done);
assert.equal(done.results[1].rows_affected, 1);

const { error, response } = await api.POST("/query", { body: { command: "exec", query: "VACUUM" } });
assert.equal(response.status, 403);
assert.equal(error!.code, "forbidden");

const { data: listing } = await api.GET("/databases");
assert.equal(listing!.databases.find((d) => d.name === "typed")!.tables[0].columns[1].not_null, true);
const { data: status } = await api.GET("/status");
assert.equal(status!.ready, true);
const { data: master } = await api.POST("/cluster/promote", { body: { id: status!.master } });
assert.equal(master!.master, status!.master);
const { data: verification } = await api.POST("/cluster/verify");
assert.ok(["equal", "incomplete"].includes(verification!.outcome));
const { response: removal } = await api.DELETE("/cluster/members/{id}", { params: { path: { id: 4711 } } });
assert.equal(removal.status, 404);

// Last, since the first token locks the cluster.
const { data: first } = await api.POST("/tokens/init");
const admin = { authorization: `Bearer ${first!.token}` };
assert.equal((await api.GET("/databases")).error!.code, "unauthorized");
const { data: reader } = await api.POST("/tokens", { headers: admin, body: { name: "reader", role: "read", databases: ["typed"], expires_in_s: 60 } });
const bearer = { authorization: `Bearer ${reader!.token}` };
assert.deepEqual((await api.GET("/databases", { headers: bearer })).data!.databases.map((d) => d.name), ["typed"]);
assert.equal((await api.POST("/query", { headers: bearer, body: { command: "delete", database: "typed", table: "users", all: true } })).error!.code, "forbidden");
assert.equal((await api.DELETE("/tokens/{name}", { headers: admin, params: { path: { name: "reader" } } })).data!.name, "reader");
assert.deepEqual((await api.GET("/tokens", { headers: admin })).data!.tokens.map((t) => t.name), ["admin"]);
assert.equal((await api.POST("/query", { headers: admin, body: { command: "drop_db", database: "typed" } })).response.status, 200);
