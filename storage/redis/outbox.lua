-- The outbox, for the scripts that touch it.

-- after tells whether the instant a is later than b. Comparing strings in Lua
-- depends on the server's locale; these are bytes.
local function after(a, b)
  for i = 1, 12 do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x > y
    end
  end
  return false
end

local function queue(lane, id)
  return base .. 'q' .. lane .. ':' .. id
end

-- number returns one greater than any before, of 20 digits, the last three of
-- them 0.
local drawn
local function number()
  if not drawn then
    local n = redis.call('INCR', base .. 'seq')
    if n < 2^53 then
      n = string.format('%017.0f', n)
    else
      -- Lua's numbers are not exact any more.
      n = redis.call('GET', base .. 'seq')
      n = string.rep('0', 17 - #n) .. n
    end
    drawn = n .. '000'
  end
  return drawn
end

local never = string.rep('0', 20)

-- The parts of an item as redis_layout.go describes it.
local function token(item) return string.sub(item, 24, 43) end
local function tries(item) return string.sub(item, 44, 53) end
local function manner(item) return string.sub(item, 54, 54) end
local function instant(item) return string.sub(item, 55, 66) end
local function name(item) return string.sub(item, 67) end
local function place(item, id) return string.sub(item, 1, 23) .. id end

-- held tells whether the lease of the head still counts. Only heads are ever
-- leased.
local function held(head, item, t)
  return head and t ~= never and name(head) == item and token(head) == t
end

-- whole tells whether there is an item and it is as redis_layout.go has it.
local function whole(item)
  return item and #item > 66
end

-- leasable tells whether the head is neither leased nor deferred beyond now.
local function leasable(head, now)
  return token(head) == never or not after(instant(head), now)
end

-- list makes the head of a lane one of those that can be leased, or that wait.
local function list(lane, id, head)
  if manner(head) == 'D' then
    redis.call('ZADD', base .. 'waiting' .. lane, 0, instant(head) .. place(head, id))
    return
  end
  redis.call('ZADD', base .. 'ready' .. lane, 0, place(head, id))
end

-- unlist takes a head out of the lists of heads.
local function unlist(lane, id, head)
  if token(head) ~= never then
    local member = instant(head) .. place(head, id)
    if redis.call('ZREM', base .. 'waiting' .. lane, member) == 1 then
      return
    end
    redis.call('ZREM', base .. 'past' .. lane, member)
  end
  redis.call('ZREM', base .. 'ready' .. lane, place(head, id))
end

-- postpone keeps a head until the instant, leased ('L') or deferred ('D').
local function postpone(lane, id, head, t, n, how, till)
  unlist(lane, id, head)
  local kept = string.sub(head, 1, 23) .. t .. n .. how .. till .. name(head)
  redis.call('LSET', queue(lane, id), 0, kept)
  redis.call('ZADD', base .. 'waiting' .. lane, 0, till .. place(head, id))
end

local function append(values, ...)
  for i = 1, select('#', ...) do
    values[#values + 1] = select(i, ...)
  end
end

-- take leases a head and appends lane, conversation, item, token, tries and
-- body to what was leased.
local function take(leased, lane, id, head, till)
  local t, n = number(), string.format('%010d', tonumber(tries(head)) + 1)
  postpone(lane, id, head, t, n, 'L', till)
  append(leased, lane, id, name(head), t, n, redis.call('LINDEX', queue(lane, id), 1))
end
