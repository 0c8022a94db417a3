-- Tells how much a lane has to do, and the earliest instants at which a head
-- that was leased or deferred can be leased.
--
-- ARGV: 2 lane
--
-- Output: how many items; the earliest instant of those that wait and of those
--         that waited, each empty if there is none.

local function first(key)
  local found = redis.call('ZRANGE', key, 0, 0)
  return found[1] and string.sub(found[1], 1, 12) or ''
end

return {
  redis.call('HGET', base .. 'counts', ARGV[2]) or '0',
  first(base .. 'waiting' .. ARGV[2]),
  first(base .. 'past' .. ARGV[2]),
}
