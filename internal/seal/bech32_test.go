package seal

import "strings"

// bech32 writes 32 bytes as age writes a private key, so that a test can try
// any bytes as one. age's own is internal.
func bech32(hrp string, data []byte) string {
	const charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	lower := strings.ToLower(hrp)
	var values []byte
	acc, bits := 0, 0
	for _, b := range data {
		acc, bits = acc<<8|int(b), bits+8
		for bits >= 5 {
			bits -= 5
			values = append(values, byte(acc>>bits)&31)
		}
	}
	if bits > 0 {
		values = append(values, byte(acc<<(5-bits))&31)
	}
	var all []byte
	for _, c := range []byte(lower) {
		all = append(all, c>>5)
	}
	all = append(all, 0)
	for _, c := range []byte(lower) {
		all = append(all, c&31)
	}
	all = append(append(all, values...), 0, 0, 0, 0, 0, 0)
	check := 1
	for _, v := range all {
		top := check >> 25
		check = (check&0x1ffffff)<<5 ^ int(v)
		for i, g := range []int{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				check ^= g
			}
		}
	}
	check ^= 1
	for i := range 6 {
		values = append(values, byte(check>>(5*(5-i)))&31)
	}
	var b strings.Builder
	b.WriteString(lower + "1")
	for _, v := range values {
		b.WriteByte(charset[v])
	}
	return strings.ToUpper(b.String())
}
