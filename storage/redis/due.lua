-- Refuses the commit that follows, as a full server does, unless the alarm of
-- its conversation is due.
--
-- ARGV: as commit.lua has them

do
  local due = redis.call('HGET', base .. 'c:' .. ARGV[2], 'a')
  if not due or after(due, ARGV[7]) then
    return redis.error_reply('OOM the memory is full')
  end
end
