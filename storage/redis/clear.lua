-- Removes a conversation and transcripts, for a piece that takes their place.
--
-- ARGV: 2 conversation, empty for none; then the transcripts
--
-- Output: OK.

for i = 3, #ARGV do
  local pages = base .. 't:' .. ARGV[i]
  local owner = redis.call('LINDEX', pages, 1)
  if owner then
    redis.call('UNLINK', pages)
    redis.call('ZREM', base .. 'transcripts', ARGV[i])
    disown(owner, ARGV[i])
  end
end

local id = ARGV[2]
local conversation = base .. 'c:' .. id
local fields = redis.call('HGETALL', conversation)
for i = 1, #fields, 2 do
  local field, value = fields[i], fields[i + 1]
  local kind, rest = string.sub(field, 1, 1), string.sub(field, 2)
  if field == 'a' then
    redis.call('ZREM', base .. 'alarms', value .. id)
  elseif field == 'n' then
    local at = 1
    while at <= #value do
      local length = string.byte(value, at)
      local further = string.sub(value, at + 1, at + length)
      if redis.call('HGET', base .. 'names', further) == id then
        redis.call('HDEL', base .. 'names', further)
      end
      at = at + 1 + length
    end
  elseif kind == 'e' then
    redis.call('ZREM', base .. 'events', value .. string.char(#id) .. id .. rest)
  elseif kind == 't' then
    -- The earlier piece's transcripts stay, as nobody's.
    redis.call('LSET', base .. 't:' .. rest, 1, '')
    redis.call('ZADD', base .. 'orphans', 0, rest)
  end
end
for _, lane in ipairs({'1', '2', '3', '4'}) do
  local head = redis.call('LINDEX', queue(lane, id), 0)
  if head then
    unlist(lane, id, head)
    redis.call('HINCRBY', base .. 'counts', lane, -redis.call('LLEN', queue(lane, id)) / 2)
    redis.call('UNLINK', queue(lane, id))
  end
end
if #fields > 0 then
  redis.call('UNLINK', conversation)
end
redis.call('ZREM', base .. 'ids', id)
return 'OK'
