-- What all scripts begin with. Every key of a hotline is in one slot, so that
-- a script may reach those that it was not given by name: redis_layout.go
-- lists them all.
--
-- KEYS: 1 the key that says which store this is, 2 one that is never there: see
--       command in redis_script.go
-- ARGV: 1 the store that the caller opened
--
-- Output: the error SUARLOST if this is another one, or none any more.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('SUARLOST this is not the store that was opened')
end

local base = string.sub(KEYS[1], 1, -6)
