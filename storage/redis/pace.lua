-- Takes a place in a queue that moves at an even pace: the generic cell rate
-- algorithm. What is kept is the instant at which the queue would be idle. An
-- instant, and a length of time, is a pair of seconds and nanoseconds, each of
-- them a whole number that Lua's numbers hold exactly.
--
-- ARGV: 2 queue, 3 and 4 now, 5 and 6 what a place costs, 7 and 8 how far the
--       queue may run ahead
--
-- Output: seconds and nanoseconds of the caller's turn.

local key = base .. 'pace:' .. ARGV[2]

local function pair(i)
  return {tonumber(ARGV[i]), tonumber(ARGV[i + 1])}
end

-- plus adds b, or takes it away if sign is -1.
local function plus(a, sign, b)
  local s, n = a[1] + sign * b[1], a[2] + sign * b[2]
  local carry = math.floor(n / 1e9)
  return {s + carry, n - carry * 1e9}
end

local function later(a, b)
  return a[1] > b[1] or a[1] == b[1] and a[2] > b[2]
end

local function text(a)
  return string.format('%.0f', a[1]), string.format('%.0f', a[2])
end

local now, idle = pair(3), pair(3)
local kept = redis.call('GET', key)
if kept then
  local s, n = string.match(kept, '^(-?%d+) (%d+)$')
  local was = {tonumber(s), tonumber(n)}
  if later(was, now) then
    idle = was
  end
end
idle = plus(idle, 1, pair(5))

-- The caller's clock says when the queue is idle; the server's only when it may
-- be forgotten, an hour later, or after ten years if that is sooner.
local busy = math.min(math.max(plus(idle, -1, now)[1], 0) + 3600, 315360000)
local s, n = text(idle)
redis.call('SET', key, s .. ' ' .. n, 'EX', string.format('%.0f', busy))

local turn = plus(idle, -1, pair(7))
if not later(turn, now) then
  turn = now
end
s, n = text(turn)
return {s, n}
