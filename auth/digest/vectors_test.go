package digest_test

import (
	"testing"

	"github.com/hookd/hookd/auth/digest"
)

// TestVectors holds the published examples.
func TestVectors(t *testing.T) {
	t.Parallel()
	const (
		nonce7616, cnonce7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
		nonce512, cnonce512   = "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
		nonce2617             = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
		realm2617             = "testrealm@host.com"
		count                 = "00000001"
	)
	for _, c := range []struct{ name, got, want string }{
		{
			"RFC 7616 section 3.9.1, MD5",
			digest.Response("MD5", "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html", nonce7616, count, cnonce7616, "auth", ""),
			"8ca523f5e9506fed4657c9700eebdbec",
		},
		{
			"RFC 7616 section 3.9.1, SHA-256",
			digest.Response("SHA-256", "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html", nonce7616, count, cnonce7616, "auth", ""),
			"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
		},
		{
			"RFC 7616 section 3.9.2 with erratum 4897",
			digest.Response("SHA-512-256", "J\u00e4s\u00f8n Doe", "api@example.org", "Secret, or not?", "GET", "/doe.json", nonce512, count, cnonce512, "auth", ""),
			"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
		},
		{
			"RFC 2617 section 3.5",
			digest.Response("MD5", "Mufasa", realm2617, "Circle Of Life", "GET", "/dir/index.html", nonce2617, count, "0a4f113b", "auth", ""),
			"6629fae49393a05397450978507c4ef1",
		},
		{
			"RFC 2617 section 3.5 without qop",
			digest.Response("MD5", "Mufasa", realm2617, "Circle Of Life", "GET", "/dir/index.html", nonce2617, "", "", "", ""),
			"670fd8c2df070c60b045671b8b24ff02",
		},
		{
			"RFC 2069 section 2.4 with erratum 749",
			digest.Response("MD5", "Mufasa", realm2617, "CircleOfLife", "GET", "/dir/index.html", nonce2617, "", "", "", ""),
			"1949323746fe6a43ef61f9606e7febea",
		},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	// The RFC prints the value of SHA-512 cut to 256 bits, which is another hash.
	const printed = "ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd"
	if digest.Response("SHA-512-256", "J\u00e4s\u00f8n Doe", "api@example.org", "Secret, or not?", "GET", "/doe.json", nonce512, count, cnonce512, "auth", "") == printed {
		t.Error("reproduces the value that RFC 7616 section 3.9.2 prints, which is wrong")
	}
}

// TestHashlib compares sessions and auth-int, which the RFC has no examples of,
// with what Python's hashlib makes of the formulas of RFC 7616 section 3.4.
func TestHashlib(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ algorithm, qop, want string }{
		{"MD5", "auth", "b76a4380ed10c70b245ed9d7299443e0"},
		{"MD5", "auth-int", "d9f4af80f0ee309adfc4051eb7a87830"},
		{"MD5-sess", "auth", "65da33bf4d9b176c1adcd12ec3f5ff27"},
		{"MD5-sess", "auth-int", "6d98a8a2f0ca07e11536b2bbf69387f6"},
		{"SHA-256", "auth", "f3842cd8029212521b69d2f7400c47f2e49aa553862d9cf50f2d37b36a14a8c3"},
		{"SHA-256", "auth-int", "f14cc752ee39e3545f1515b0020ea045a7a43651ebbb5766ca39a330c9db0807"},
		{"SHA-256-sess", "auth", "3477468e534f39ef544d58e7376fbf5e14757dc21b7a4819c18e46f7eada95b7"},
		{"SHA-256-sess", "auth-int", "2cb334e8b200487839e46b0151d585dfb3f03ce309b94920f0b82976efae91e6"},
		{"SHA-512-256", "auth", "2f2d6112f48e52235b04da7e6951608b7b267fd8a23e4eef0b26e6c2d55abd43"},
		{"SHA-512-256", "auth-int", "2974169707cb3c1ae7274806919ee806619935cf93c6fef1f6c53f87b9abd189"},
		{"SHA-512-256-sess", "auth", "3daadb763b747d6ac53cd1f52ad7a3beaf6b494d26c0cde42a24032112c0e798"},
		{"SHA-512-256-sess", "auth-int", "0277853267c9a1a34d40f7736158a4a80f67d17201406e3704215fe0b9d5cf16"},
	} {
		got := digest.Response(c.algorithm, "Mufasa", "r@x", "pw", "POST", "/p?q=1", "n", "00000002", "c", c.qop, "\x00body\xff")
		if got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.algorithm, c.qop, got, c.want)
		}
	}
}
