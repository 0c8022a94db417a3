// Package spelling finds what was meant by a word that is not known.
package spelling

// farthest is how many letters a word may be away from what was meant.
const farthest = 3

// Nearest returns which of the known words is nearest to word, the first of
// several, and "" if none is within three letters.
func Nearest(word string, known []string) string {
	best, at := "", farthest+1
	for _, k := range known {
		if d := distance(word, k); d < at {
			best, at = k, d
		}
	}
	return best
}

// distance counts the letters to change, add or leave out to come from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
