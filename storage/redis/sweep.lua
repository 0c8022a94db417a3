-- Drops the identities of events that were handled before an instant.
--
-- ARGV: 2 the instant, 3 how many at most
--
-- Output: how many.

local old = redis.call('ZRANGEBYLEX', base .. 'events', '-', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
if #old == 0 then
  return 0
end
redis.call('ZREMRANGEBYRANK', base .. 'events', 0, #old - 1)
for _, member in ipairs(old) do
  local length = string.byte(member, 13)
  local id = string.sub(member, 14, 13 + length)
  redis.call('HDEL', base .. 'c:' .. id, 'e' .. string.sub(member, 14 + length))
  index(id)
end
return #old
