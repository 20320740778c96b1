-- sysbench: one row of about 100 bytes for each event, by a prepared statement.
local value = string.rep("v", 100)

function thread_init()
  connection = sysbench.sql.driver():connect()
  statement = connection:prepare("INSERT INTO bench_writes (client, value) VALUES (?, ?)")
  client = statement:bind_create(sysbench.sql.type.INT)
  text = statement:bind_create(sysbench.sql.type.VARCHAR, 100)
  statement:bind_param(client, text)
end

function event(thread)
  client:set(thread)
  text:set(value)
  statement:execute()
end
