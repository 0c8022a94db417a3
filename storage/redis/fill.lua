-- Begins or ends a copy into an empty store. While it is filled it is under
-- another name, so that nobody can open it, and none who has it open can use
-- it; so it stays if the copy breaks off.
--
-- ARGV: 2 the name that the store is to have from now on, 3 empty to begin;
--       to end the number after which items and tokens are counted
--
-- Output: NOTEMPTY or OK.

if ARGV[3] == '' then
  if redis.call('EXISTS', base .. 'ids', base .. 'transcripts') > 0 then
    return 'NOTEMPTY'
  end
else
  redis.call('SET', base .. 'seq', ARGV[3])
end
redis.call('SET', KEYS[1], ARGV[2])
return 'OK'
