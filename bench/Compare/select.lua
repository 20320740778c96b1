-- sysbench: one row by its key for each event, by a prepared statement.
function thread_init()
  connection = sysbench.sql.driver():connect()
  statement = connection:prepare("SELECT id, value FROM bench_reads WHERE id = ?")
  key = statement:bind_create(sysbench.sql.type.INT)
  statement:bind_param(key)
end

function event()
  key:set(sysbench.rand.uniform(1, 1000))
  statement:execute()
end
