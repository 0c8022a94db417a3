-- Keeps all that one event changes, or nothing of it. Everything is checked
-- before anything is written.
--
-- ARGV: 2 conversation, 3 the version that it follows, empty if none,
--       4 the new version, 5 '1' and the state, empty if the record is erased,
--       6 the alarm, empty for never, 7 when the events were handled,
--       8 the whole set of further names, each with its length before it,
--       9 to 11 lane, item and token of the acknowledged lease, empty if none,
--       12 transcript, 13 '1' and the header, empty if none,
--       14 until when to lease, 15 '1' if a duplicate is to be confirmed,
--       16 to 20 how many events, names, items, entries and lanes there are;
--       then the events, the names, for each item its lane, 255 less its
--       priority in 3 digits, its ID and its body, the entries, and the lanes
--       of which the heads are to be leased
--
-- Output: DUPLICATE, LOST, CONFLICT or TAKEN; or OK and, for each leased head,
--         lane, conversation, item, token, tries and body.

local id, follows = ARGV[2], ARGV[3]
local conversation = base .. 'c:' .. id
local erased = ARGV[5] == ''
local nevents, nnames, nitems, nentries, nlanes =
  tonumber(ARGV[16]), tonumber(ARGV[17]), tonumber(ARGV[18]), tonumber(ARGV[19]), tonumber(ARGV[20])
local events = 20
local names = events + nevents
local items = names + nnames
local entries = items + 4 * nitems
local lanes = entries + nentries

-- Check.

local fields = {'v', 'a', 'n'}
for i = 1, nevents do
  fields[i + 3] = 'e' .. ARGV[events + i]
end
local old = redis.call('HMGET', conversation, unpack(fields))
for i = 1, nevents do
  if old[i + 3] then
    touch(ARGV[15])
    return {'DUPLICATE'}
  end
end

local acked = ARGV[9]
local done = acked ~= '' and redis.call('LINDEX', queue(acked, id), 0)
if acked ~= '' and not held(done, ARGV[10], ARGV[11]) then
  return {'LOST'}
end

if (old[1] or '') ~= follows then
  return {'CONFLICT'}
end

local wanted, missing = {}, {}
for i = 1, nnames do
  local further = ARGV[names + i]
  local owner = redis.call('HGET', base .. 'names', further)
  if owner and owner ~= id then
    return {'TAKEN'}
  end
  wanted[further] = true
  if not owner then
    missing[#missing + 1] = further
  end
end
local dropped = {}
local before, at = old[3] or '', 1
while at <= #before do
  local length = string.byte(before, at)
  local further = string.sub(before, at + 1, at + length)
  if not wanted[further] and redis.call('HGET', base .. 'names', further) == id then
    dropped[#dropped + 1] = further
  end
  at = at + 1 + length
end

local transcript = ARGV[12]
local pages = base .. 't:' .. transcript
local transcribes = ARGV[13] ~= '' or nentries > 0
local owner = transcribes and redis.call('LINDEX', pages, 1)

-- Write: the record and the events.

local set, unset = {}, {}
local function put(field, value)
  set[#set + 1] = field
  set[#set + 1] = value
end
if erased then
  if old[1] then
    unset = {'v', 's', 'a', 'n'}
  end
else
  put('v', ARGV[4])
  put('s', string.sub(ARGV[5], 2))
  if ARGV[6] ~= '' then put('a', ARGV[6]) elseif old[2] then unset[#unset + 1] = 'a' end
  if ARGV[8] ~= '' then put('n', ARGV[8]) elseif old[3] then unset[#unset + 1] = 'n' end
end
local handled = {}
for i = 1, nevents do
  local event = ARGV[events + i]
  put('e' .. event, ARGV[7])
  append(handled, 0, ARGV[7] .. string.char(#id) .. id .. event)
end
if nevents > 0 then
  redis.call('ZADD', base .. 'events', unpack(handled))
end
if transcribes and owner ~= id then
  put('t' .. transcript, '')
end
if #set > 0 then
  redis.call('HSET', conversation, unpack(set))
end
if #unset > 0 then
  redis.call('HDEL', conversation, unpack(unset))
end

for _, further in ipairs(dropped) do
  redis.call('HDEL', base .. 'names', further)
end
for _, further in ipairs(missing) do
  redis.call('HSET', base .. 'names', further, id)
end

local alarm = old[2] or ''
if alarm ~= ARGV[6] then
  if alarm ~= '' then
    redis.call('ZREM', base .. 'alarms', alarm .. id)
  end
  if ARGV[6] ~= '' then
    redis.call('ZADD', base .. 'alarms', 0, ARGV[6] .. id)
  end
end

-- Write: the outbox.

local counts = {}
if done then
  unlist(acked, id, done)
  redis.call('LPOP', queue(acked, id), 2)
  local head = redis.call('LINDEX', queue(acked, id), 0)
  if head then
    list(acked, id, head)
  end
  counts[acked] = -1
end
local wants = {}
for i = 1, nlanes do
  wants[ARGV[lanes + i]] = true
end
-- A new head that is to be leased is written as leased at once: it is what
-- nearly every commit does.
local added, leased = {}, {}
for i = 1, nitems do
  local arg = items + 4 * i
  local lane, item, body = ARGV[arg - 3], ARGV[arg - 1], ARGV[arg]
  local start = ARGV[arg - 2] .. string.sub(number(), 1, 17) .. string.format('%03d', i - 1)
  local kept = start .. never .. '0000000000-' .. string.rep('\0', 12) .. item
  local values = added[lane]
  if not values then
    values = {}
    added[lane] = values
    if redis.call('EXISTS', queue(lane, id)) == 1 then
      -- The head is another.
    elseif wants[lane] then
      kept = start .. number() .. '0000000001L' .. ARGV[14] .. item
      redis.call('ZADD', base .. 'waiting' .. lane, 0, ARGV[14] .. place(kept, id))
      leased[lane] = {lane, id, item, number(), '1', body}
    else
      list(lane, id, kept)
    end
  end
  append(values, kept, body)
  counts[lane] = (counts[lane] or 0) + 1
end
for lane, values in pairs(added) do
  redis.call('RPUSH', queue(lane, id), unpack(values))
end
for lane, change in pairs(counts) do
  if change ~= 0 then
    redis.call('HINCRBY', base .. 'counts', lane, change)
  end
end

-- Write: the transcript.

if transcribes then
  local values = {}
  if not owner then
    append(values, ARGV[13] == '' and '0' or ARGV[13], id)
    redis.call('ZADD', base .. 'transcripts', 0, transcript)
  else
    if ARGV[13] ~= '' then
      redis.call('LSET', pages, 0, ARGV[13])
    end
    if owner ~= id then
      redis.call('LSET', pages, 1, id)
      disown(owner, transcript)
    end
  end
  for i = 1, nentries do
    append(values, ARGV[entries + i])
    if #values > 1000 then
      redis.call('RPUSH', pages, unpack(values))
      values = {}
    end
  end
  if #values > 0 then
    redis.call('RPUSH', pages, unpack(values))
  end
end

if erased then
  index(id)
elseif not old[1] then
  redis.call('ZADD', base .. 'ids', 0, id)
end

-- Write: the leases.

local answer = {'OK'}
for i = 1, nlanes do
  local lane = ARGV[lanes + i]
  if leased[lane] then
    append(answer, unpack(leased[lane]))
    leased[lane] = nil
  else
    local head = redis.call('LINDEX', queue(lane, id), 0)
    if whole(head) and leasable(head, ARGV[7]) then
      take(answer, lane, id, head, ARGV[14])
    end
  end
end
return answer
