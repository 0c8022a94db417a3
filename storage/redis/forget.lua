-- Erases a transcript.
--
-- ARGV: 2 transcript, 3 '1' if it is to be confirmed that it is gone
--
-- Output: OK.

local transcript = ARGV[2]
local pages = base .. 't:' .. transcript
local owner = redis.call('LINDEX', pages, 1)
if not owner then
  touch(ARGV[3])
  return 'OK'
end
redis.call('UNLINK', pages)
redis.call('ZREM', base .. 'transcripts', transcript)
disown(owner, transcript)
return 'OK'
