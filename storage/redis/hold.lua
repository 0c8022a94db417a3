-- Makes the holder the one that holds the name.
--
-- ARGV: 2 name, 3 holder, 4 now, 5 until when, 6 after how many milliseconds
--       the server may forget it
--
-- Output: HELD or OK.

local key = base .. 'hold:' .. ARGV[2]
local old = redis.call('GET', key)
if old and string.sub(old, 13) ~= ARGV[3] and after(string.sub(old, 1, 12), ARGV[4]) then
  return 'HELD'
end
if after(ARGV[5], ARGV[4]) then
  redis.call('SET', key, ARGV[5] .. ARGV[3], 'PX', ARGV[6])
else
  redis.call('DEL', key)
end
return 'OK'
