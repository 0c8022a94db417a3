-- The list of conversations, for the scripts that add to one or take from it.

-- index lists a conversation of which something is kept, and only then.
local function index(id)
  if redis.call('EXISTS', base .. 'c:' .. id, base .. 'q1:' .. id, base .. 'q2:' .. id, base .. 'q3:' .. id, base .. 'q4:' .. id) > 0 then
    redis.call('ZADD', base .. 'ids', 0, id)
  else
    redis.call('ZREM', base .. 'ids', id)
  end
end

-- disown takes a transcript from the conversation that it is of, nobody's if
-- that is empty.
local function disown(owner, transcript)
  if owner == '' then
    redis.call('ZREM', base .. 'orphans', transcript)
    return
  end
  redis.call('HDEL', base .. 'c:' .. owner, 't' .. transcript)
  index(owner)
end

-- touch writes something, for a caller who asks replicas whether they have what
-- an earlier call wrote. WAIT is documented to wait for the last write of its
-- own connection, and so for all before that, but not for a later one that
-- another connection made.
local function touch(wanted)
  if wanted == '1' then
    redis.call('INCR', base .. 'touched')
  end
end
