-- Leases the best heads of a lane. It writes nothing if there are none.
--
-- ARGV: 2 lane, 3 how many, 4 now, 5 the instant after now, 6 until when
--
-- Output: how many heads are damaged; then for each leased one lane,
--         conversation, item, token, tries and body.

local lane, n, now, till = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[6]
local ready, waiting, past = base .. 'ready' .. lane, base .. 'waiting' .. lane, base .. 'past' .. lane

-- The heads whose instant has come can be leased. Each is moved once a lease or
-- deferral, so that no call looks at more than what has become ready since the
-- one before.
local due = redis.call('ZRANGEBYLEX', waiting, '-', '(' .. ARGV[5])
for from = 1, #due, 1000 do
  local members, listed, places = {}, {}, {}
  for i = from, math.min(from + 999, #due) do
    members[#members + 1] = due[i]
    listed[#listed + 1] = 0
    listed[#listed + 1] = due[i]
    places[#places + 1] = 0
    places[#places + 1] = string.sub(due[i], 13)
  end
  redis.call('ZREM', waiting, unpack(members))
  redis.call('ZADD', past, unpack(listed))
  redis.call('ZADD', ready, unpack(places))
end

local found, damaged, from = {}, 0, '-'
while #found < n do
  local page = redis.call('ZRANGEBYLEX', ready, from, '+', 'LIMIT', 0, n - #found)
  if #page == 0 then
    break
  end
  for _, member in ipairs(page) do
    local id = string.sub(member, 24)
    local head = redis.call('LINDEX', queue(lane, id), 0)
    if not whole(head) then
      damaged = damaged + 1
    -- It may have become leasable at a later instant than this now: the clocks
    -- of two callers differ.
    elseif leasable(head, now) then
      found[#found + 1] = {id, head}
    end
    from = '(' .. member
  end
end

local leased = {damaged}
for _, f in ipairs(found) do
  take(leased, lane, f[1], f[2], till)
end
return leased
