package jose_test

import (
	"context"
	"encoding/base64"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/internal/secret"
)

// The examples of RFC 7515, appendix A. The claims of the first three expire at
// 1300819380; the payload of the fourth is no JSON, so that a right signature
// is told from a wrong one by what comes after it.
const (
	rfcClaims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

	rfcA1    = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfcClaims + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcA1Key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

	rfcA2 = "eyJhbGciOiJSUzI1NiJ9." + rfcClaims + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7" +
		"AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K" +
		"0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB" +
		"p0igcN_IoypGlUPQGe77Rw"
	rfcA2Key = `{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql` +
		`L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg6` +
		`65xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}`

	rfcA3    = "eyJhbGciOiJFUzI1NiJ9." + rfcClaims + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	rfcA3Key = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`

	rfcA4 = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCA" +
		"PZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
	rfcA4Key = `{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",` +
		`"y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}`

	rfcA5 = "eyJhbGciOiJub25lIn0." + rfcClaims + "." // unsecured
)

func TestRFC7515(t *testing.T) {
	t.Parallel()
	raw, err := base64.RawURLEncoding.DecodeString(rfcA1Key)
	if err != nil {
		t.Fatal(err)
	}
	set := func(key string, alg jose.Algorithm) *jose.Verifier {
		return build(t, serving(`{"keys":[`+key+`]}`), jose.Config{
			Algorithms: []jose.Algorithm{alg}, JWKS: keysURL, Rules: jose.Rules{VerifyExpiry: true, Issuers: []string{"joe"}},
		})
	}
	a1 := build(t, auth.Env{}, jose.Config{
		Algorithms: []jose.Algorithm{"HS256"}, Secrets: []secret.String{secret.New(string(raw))},
		Rules: jose.Rules{VerifyExpiry: true, Issuers: []string{"joe"}},
	})
	a2, a3, a4 := set(rfcA2Key, "RS256"), set(rfcA3Key, "ES256"), set(rfcA4Key, "ES512")
	last := time.Unix(1300819379, 0)
	for name, c := range map[string]struct {
		v     *jose.Verifier
		token string
		now   time.Time
		code  string
	}{
		"A.1":           {a1, rfcA1, last, ""},
		"A.1 expired":   {a1, rfcA1, last.Add(time.Second), auth.CodeExpired},
		"A.1 changed":   {a1, rfcA1[:len(rfcA1)-1] + "o", last, auth.CodeSignatureMismatch},
		"A.2":           {a2, rfcA2, last, ""},
		"A.2 expired":   {a2, rfcA2, last.Add(time.Second), auth.CodeExpired},
		"A.3":           {a3, rfcA3, last, ""},
		"A.3 expired":   {a3, rfcA3, last.Add(time.Second), auth.CodeExpired},
		"A.3 by A.2":    {a2, rfcA3, last, auth.CodeAlgorithm},
		"A.4":           {a4, rfcA4, last, auth.CodeMalformed},
		"A.4 changed":   {a4, rfcA4[:len(rfcA4)-4] + "AAAA", last, auth.CodeSignatureMismatch},
		"A.5 unsecured": {a1, rfcA5, last, auth.CodeAlgorithm},
	} {
		got := ""
		claims, err := c.v.Verify(context.Background(), c.token, c.now)
		if err != nil {
			got = auth.DenialOf(err).Code
		} else if claims.Issuer != "joe" || !claims.True("http://example.com/is_root") || claims.Expires.Unix() != 1300819380 {
			t.Errorf("%s: claims %+v", name, claims)
		}
		if got != c.code {
			t.Errorf("%s: code %q, want %q", name, got, c.code)
		}
	}
}
