-- Reads from the store that the caller opened.
--
-- ARGV: 2 a command that reads, then its arguments
--
-- Output: what the command answers.

return redis.call(unpack(ARGV, 2))
