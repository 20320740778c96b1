// Uses each client of libSQL as its documentation shows, against a cluster of three: schema by way of the master, writes and reads by way of every node. Prints what passed.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createClient } from '@libsql/client';
import { connect } from '@tursodatabase/serverless';
import { LibsqlDialect } from '@libsql/kysely-libsql';
import { Kysely, Migrator } from 'kysely';
import { drizzle } from 'drizzle-orm/libsql';
import { migrate } from 'drizzle-orm/libsql/migrator';
import { eq, sql } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import knex from 'knex';

const require = createRequire(import.meta.url);
const master = new URL(process.env.DISTDB_URL);
const nodes = [0, 1, 2].map(n => `http://${master.hostname}:${Number(master.port) + n}`);
const version = name => {
  for (const path of [`./node_modules/${name}/package.json`]) {
    return require(path).version;
  }
};
const only = process.argv[2];

async function check(name, run) {
  if (only && !name.includes(only)) {
    return;
  }

  const started = performance.now();
  await run();
  console.log(`${name} ${version(name)}: passed (${Math.round(performance.now() - started)} ms)`);
}

await check('@libsql/client', async () => {
  const admin = createClient({ url: nodes[0] });
  await admin.migrate(['DROP TABLE IF EXISTS lc', 'CREATE TABLE lc(id INTEGER PRIMARY KEY, name TEXT UNIQUE, n REAL, data BLOB)']);
  await admin.executeMultiple('CREATE INDEX lc_n ON lc(n); INSERT INTO lc(name) VALUES (\'script\');');
  for (const url of nodes) {
    const db = createClient({ url, intMode: 'bigint' });
    const name = `at ${url}`;
    const inserted = await db.execute({ sql: 'INSERT INTO lc(name, n, data) VALUES (?, ?, ?)', args: [name, 1.5, new Uint8Array([1, 2, 255])] });
    assert.equal(inserted.rowsAffected, 1);
    const row = (await db.execute({ sql: 'SELECT id, n, data, 9007199254740993 AS big FROM lc WHERE name = :name', args: { name } })).rows[0];
    assert.equal(row.id, inserted.lastInsertRowid);
    assert.equal(row.n, 1.5);
    assert.deepEqual([...new Uint8Array(row.data)], [1, 2, 255]);
    assert.equal(row.big, 9007199254740993n);
    await assert.rejects(db.execute({ sql: 'INSERT INTO lc(name) VALUES (?)', args: [name] }), e => e.code.startsWith('SQLITE_CONSTRAINT') && /UNIQUE constraint failed: lc.name/.test(e.message));

    const results = await db.batch([{ sql: 'INSERT INTO lc(name) VALUES (?)', args: [name + ' b1'] }, 'SELECT count(*) AS c FROM lc', 'UPDATE lc SET n = 2 WHERE n IS NULL RETURNING id'], 'write');
    assert.equal(results.length, 3);
    await assert.rejects(db.batch([{ sql: 'INSERT INTO lc(name) VALUES (?)', args: [name + ' lost'] }, { sql: 'INSERT INTO lc(name) VALUES (?)', args: [name] }], 'write'), /UNIQUE/);
    assert.equal((await db.execute({ sql: 'SELECT count(*) c FROM lc WHERE name = ?', args: [name + ' lost'] })).rows[0].c, 0n);
    assert.equal((await db.batch(['SELECT 1 AS one', 'SELECT 2 AS two'], 'read'))[1].rows[0].two, 2n);

    const transaction = await db.transaction('write');
    await transaction.execute({ sql: 'INSERT INTO lc(name) VALUES (?)', args: [name + ' t'] });
    assert.equal((await transaction.execute({ sql: 'SELECT count(*) c FROM lc WHERE name = ?', args: [name + ' t'] })).rows[0].c, 1n);
    assert.equal((await db.execute({ sql: 'SELECT count(*) c FROM lc WHERE name = ?', args: [name + ' t'] })).rows[0].c, 0n);
    await transaction.commit();
    assert.equal((await db.execute({ sql: 'SELECT count(*) c FROM lc WHERE name = ?', args: [name + ' t'] })).rows[0].c, 1n);
    const undone = await db.transaction('deferred');
    await undone.execute('DELETE FROM lc');
    await undone.rollback();
    const reader = await db.transaction('read');
    assert.ok((await reader.execute('SELECT count(*) c FROM lc')).rows[0].c > 0n);
    reader.close();
    db.close();
  }

  // Writers wait for each other.
  const writers = nodes.map(url => createClient({ url }));
  await Promise.all(Array.from({ length: 60 }, (_, i) => writers[i % 3].batch([`INSERT INTO lc(name, n) VALUES ('p${i}', -1)`, 'UPDATE lc SET n = n - 1 WHERE name = \'script\''], 'write')));
  await Promise.all(Array.from({ length: 15 }, async (_, i) => {
    const transaction = await writers[i % 3].transaction('write');
    const { rows } = await transaction.execute('SELECT n FROM lc WHERE name = \'script\'');
    await transaction.execute({ sql: 'UPDATE lc SET n = ? WHERE name = \'script\'', args: [rows[0].n - 1] });
    await transaction.commit();
  }));
  assert.equal((await writers[0].execute('SELECT n FROM lc WHERE name = \'script\'')).rows[0].n, 2 - 75);
  await assert.rejects(createClient({ url: nodes[1] }).execute('CREATE TABLE no(a)'), e => e.code === 'not_master');
});

await check('@tursodatabase/serverless', async () => {
  const admin = connect({ url: nodes[0] });
  await admin.exec('DROP TABLE IF EXISTS ts; CREATE TABLE ts(id INTEGER PRIMARY KEY, name TEXT)');
  for (const url of nodes) {
    const db = connect({ url });
    await (await db.prepare('INSERT INTO ts(name) VALUES (?)')).run([url]);
    const insertTwo = db.transaction(async (a, b) => {
      await (await db.prepare('INSERT INTO ts(name) VALUES (?)')).run([a]);
      await (await db.prepare('INSERT INTO ts(name) VALUES (?)')).run([b]);
    });
    await insertTwo(url + ' a', url + ' b');
    const rows = await (await db.prepare('SELECT * FROM ts WHERE name LIKE ? ORDER BY id')).all([url + '%']);
    assert.deepEqual(rows.map(r => r.name), [url, url + ' a', url + ' b']);
    await db.batch([`INSERT INTO ts(name) VALUES ('batch')`, `DELETE FROM ts WHERE name = 'batch'`]);
    await db.close();
  }
});

await check('drizzle-orm', async () => {
  const users = sqliteTable('dz_users', { id: integer('id').primaryKey({ autoIncrement: true }), name: text('name').notNull().unique(), at: integer('at', { mode: 'timestamp' }) });
  const admin = drizzle(createClient({ url: nodes[0] }));
  await migrate(admin, { migrationsFolder: new URL('./drizzle', import.meta.url).pathname });
  await migrate(admin, { migrationsFolder: new URL('./drizzle', import.meta.url).pathname });
  await admin.delete(users);
  for (const url of nodes) {
    const db = drizzle(createClient({ url }));
    const [made] = await db.insert(users).values({ name: url, at: new Date(1_700_000_000_000) }).returning();
    assert.equal(made.at.getTime(), 1_700_000_000_000);
    await db.transaction(async tx => {
      await tx.update(users).set({ name: url + '!' }).where(eq(users.id, made.id));
      await assert.rejects(tx.transaction(async inner => {
        await inner.insert(users).values({ name: 'inner' });
        throw new Error('undone');
      }), /undone/);
      await tx.transaction(async inner => { await inner.insert(users).values({ name: url + ' inner' }); });
    });
    assert.deepEqual((await db.select({ name: users.name }).from(users).where(sql`name LIKE ${url + '%'}`).orderBy(users.id)).map(r => r.name), [url + '!', url + ' inner']);
    await db.batch([db.insert(users).values({ name: url + ' batch' }), db.select().from(users)]);
  }
});

await check('@libsql/kysely-libsql', async () => {
  const admin = new Kysely({ dialect: new LibsqlDialect({ url: nodes[0] }) });
  await admin.schema.dropTable('kl').ifExists().execute();
  for (const table of ['kysely_migration', 'kysely_migration_lock']) {
    await admin.schema.dropTable(table).ifExists().execute();
  }

  const migrator = new Migrator({
    db: admin,
    provider: { getMigrations: async () => ({ one: { up: db => db.schema.createTable('kl').addColumn('id', 'integer', c => c.primaryKey()).addColumn('name', 'text', c => c.notNull()).execute() } }) },
  });
  const { error } = await migrator.migrateToLatest();
  assert.equal(error, undefined);
  for (const url of nodes) {
    const db = new Kysely({ dialect: new LibsqlDialect({ url }) });
    const made = await db.insertInto('kl').values({ name: url }).returning('id').executeTakeFirstOrThrow();
    await db.transaction().execute(async tx => {
      await tx.updateTable('kl').set({ name: url + '!' }).where('id', '=', made.id).execute();
      await tx.insertInto('kl').values({ name: url + ' second' }).execute();
    });
    await assert.rejects(db.transaction().execute(async tx => {
      await tx.deleteFrom('kl').execute();
      throw new Error('undone');
    }), /undone/);
    assert.deepEqual((await db.selectFrom('kl').select('name').where('name', 'like', url + '%').orderBy('id').execute()).map(r => r.name), [url + '!', url + ' second']);
    await db.destroy();
  }

  await admin.destroy();
});

await check('@libsql/knex-libsql', async () => {
  const dialect = require('@libsql/knex-libsql');
  const open = url => knex({ client: dialect, connection: { filename: url }, useNullAsDefault: true, pool: { min: 0, max: 2 } });
  const admin = open(nodes[0]);
  for (const table of ['kx', 'knex_migrations', 'knex_migrations_lock']) {
    await admin.schema.dropTableIfExists(table);
  }

  const migrationSource = {
    getMigrations: async () => ['one'],
    getMigrationName: name => name,
    getMigration: async () => ({ up: db => db.schema.createTable('kx', t => { t.increments('id'); t.string('name').notNullable(); }), down: db => db.schema.dropTable('kx') }),
  };
  await admin.migrate.latest({ migrationSource });
  for (const url of nodes) {
    const db = open(url);
    await db('kx').insert({ name: url });
    await db.transaction(async tx => {
      await tx('kx').where({ name: url }).update({ name: url + '!' });
      await tx('kx').insert({ name: url + ' second' });
    });
    await assert.rejects(db.transaction(async tx => {
      await tx('kx').del();
      throw new Error('undone');
    }), /undone/);
    assert.deepEqual((await db('kx').where('name', 'like', url + '%').orderBy('id')).map(r => r.name), [url + '!', url + ' second']);
    await db.destroy();
  }

  await admin.destroy();
});

await check('@prisma/adapter-libsql', async () => {
  // The adapter as Prisma's engine uses it: the engine itself is generated by a tool that downloads programs.
  const admin = await new PrismaLibSql({ url: nodes[0] }).connect();
  await admin.executeScript('DROP TABLE IF EXISTS pa; CREATE TABLE pa(id INTEGER PRIMARY KEY, name TEXT NOT NULL, at DATETIME, big BIGINT)');
  for (const url of nodes) {
    const db = await new PrismaLibSql({ url }).connect();
    const args = (...values) => ({ args: values, argTypes: values.map(v => ({ scalarType: typeof v === 'bigint' ? 'bigint' : 'string', arity: 'scalar' })) });
    assert.equal(await db.executeRaw({ sql: 'INSERT INTO pa(name, big) VALUES (?, ?)', ...args(url, 5n) }), 1);
    const transaction = await db.startTransaction();
    await transaction.executeRaw({ sql: 'UPDATE pa SET name = ? WHERE name = ?', ...args(url + '!', url) });
    assert.equal((await transaction.queryRaw({ sql: 'SELECT name FROM pa WHERE name = ?', ...args(url + '!') })).rows.length, 1);
    await transaction.commit();
    const undone = await db.startTransaction();
    await undone.executeRaw({ sql: 'DELETE FROM pa', args: [], argTypes: [] });
    await undone.rollback();
    const found = await db.queryRaw({ sql: 'SELECT id, name, at, big FROM pa WHERE name = ?', ...args(url + '!') });
    assert.equal(found.rows.length, 1);
    assert.deepEqual(found.columnNames, ['id', 'name', 'at', 'big']);
    await db.dispose();
  }

  await admin.dispose();
});
