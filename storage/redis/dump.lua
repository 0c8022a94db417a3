-- Gives a conversation with its transcripts, as they are at one instant.
--
-- ARGV: 2 conversation
--
-- Output: the fields and values of its hash, the lists of its lanes, and
--         then the name and the list of each of its transcripts.

local id = ARGV[2]
local fields = redis.call('HGETALL', base .. 'c:' .. id)
local piece = {
  fields,
  redis.call('LRANGE', base .. 'q1:' .. id, 0, -1),
  redis.call('LRANGE', base .. 'q2:' .. id, 0, -1),
  redis.call('LRANGE', base .. 'q3:' .. id, 0, -1),
  redis.call('LRANGE', base .. 'q4:' .. id, 0, -1),
}
for i = 1, #fields, 2 do
  if string.byte(fields[i]) == 116 and #fields[i] > 1 then
    local transcript = string.sub(fields[i], 2)
    piece[#piece + 1] = transcript
    piece[#piece + 1] = redis.call('LRANGE', base .. 't:' .. transcript, 0, -1)
  end
end
return piece
