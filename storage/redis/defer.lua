-- Gives a leased item back.
--
-- ARGV: 2 conversation, 3 lane, 4 item, 5 token, 6 until when
--
-- Output: LOST or OK.

local id, lane = ARGV[2], ARGV[3]
local head = redis.call('LINDEX', queue(lane, id), 0)
if not held(head, ARGV[4], ARGV[5]) then
  return 'LOST'
end
postpone(lane, id, head, token(head), tries(head), 'D', ARGV[6])
return 'OK'
