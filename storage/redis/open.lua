-- Tells which store is under the prefix, and begins one if there is nothing and
-- it may.
--
-- KEYS: 1 the key that says which store this is, 2 one that is never there
-- ARGV: 1 the format in which to begin one; empty if none is to be begun
--
-- Output: what the key says; the error SUARUNNAMED if there is no such key
--         but there are others of a store, SUARNONE if there is nothing and none is
--         to be begun.

local found = redis.call('GET', KEYS[1])
if found then
  return found
end
local base = string.sub(KEYS[1], 1, -6)
if redis.call('EXISTS', base .. 'ids', base .. 'transcripts', base .. 'seq') > 0 then
  return redis.error_reply('SUARUNNAMED the key that says which store this is was deleted')
end
if ARGV[1] == '' then
  return redis.error_reply('SUARNONE nothing is kept under this prefix')
end
-- A name that no other store has: the server's run with its every detail, and
-- its clock to the microsecond.
local begun = ARGV[1] .. ' ' .. redis.sha1hex(redis.call('INFO', 'server') .. table.concat(redis.call('TIME'), '.'))
redis.call('SET', KEYS[1], begun)
return begun
