package twiliotest

import "sync/atomic"

// idSource makes ids that look random, never repeat and are the same in every
// run, so that a failing test can be run again with the same SIDs in its log.
type idSource struct {
	seed uint64
	n    atomic.Uint64
}

// sid returns prefix and 32 lower-case hex digits.
func (s *idSource) sid(prefix string) string { return string(s.appendHex([]byte(prefix))) }

// secret returns 32 lower-case hex digits.
func (s *idSource) secret() string { return string(s.appendHex(nil)) }

// sidAndSecret makes both in one allocation, which counts for 100,000 accounts.
func (s *idSource) sidAndSecret(prefix string) (sid, secret string) {
	var buf [80]byte
	both := string(s.appendHex(s.appendHex(append(buf[:0], prefix...))))
	cut := len(prefix) + 32
	return both[:cut], both[cut:]
}

func (s *idSource) appendHex(dst []byte) []byte {
	n := s.n.Add(1)
	// The second half is a bijection of n for a given seed: no two are alike.
	for _, x := range [2]uint64{mix(s.seed<<32 ^ n<<1), mix(n + s.seed*0x9e3779b97f4a7c15)} {
		for shift := 60; shift >= 0; shift -= 4 {
			dst = append(dst, "0123456789abcdef"[x>>shift&15])
		}
	}
	return dst
}

// mix is a bijection on 64 bits with good avalanche (the finalizer of
// splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// isSID tells whether s is prefix and 32 hex digits of either case, the
// pattern in Twilio's OpenAPI files.
func isSID(s, prefix string) bool {
	if len(s) != len(prefix)+32 || s[:len(prefix)] != prefix {
		return false
	}
	for _, c := range []byte(s[len(prefix):]) {
		if !isHex(c) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
