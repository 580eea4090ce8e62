// Package explain says why a request is refused: what each proof of its hook
// says, what the signature covers, and which of the usual mistakes would
// explain the refusal. It prints no secret, no credential, and no signature
// that would be right.
package explain

// Report is the answer for one request. It is the wire form of the admin API
// and of `hookd explain --json`.
type Report struct {
	ID      string `json:"id,omitempty"` // in the quarantine
	Hook    string `json:"hook"`
	Refused string `json:"refused,omitempty"` // when it came: "hmac:signature_mismatch"
	// Holds: every proof holds with the configuration as it is now, but for
	// those that ask another service.
	Holds   bool     `json:"holds"`
	Proofs  []Proof  `json:"proofs"`
	Notes   []string `json:"notes"`
	Advised []string `json:"advice"` // what to do, in the order of trying
}

// Proof is what one proof says.
type Proof struct {
	Method      string   `json:"method"`
	Alternative int      `json:"alternative,omitempty"` // of any_of, from 1
	Verdict     string   `json:"verdict"`               // holds, refused, not_asked
	Subject     string   `json:"subject,omitempty"`     // who proved themselves
	Code        string   `json:"code,omitempty"`        // why it is refused
	Meaning     string   `json:"meaning,omitempty"`     // the code in plain words
	Detail      string   `json:"detail,omitempty"`
	Signed      []Signed `json:"signed,omitempty"`
	Notes       []string `json:"notes,omitempty"`
	Matches     []Match  `json:"matches,omitempty"`
	Tried       int      `json:"tried,omitempty"` // mistakes and pairs of them
	Cut         bool     `json:"cut,omitempty"`   // the search ended at its bounds
}

// Signed is what a signature covers. Head and Tail are quoted as in Go.
type Signed struct {
	Template string `json:"template,omitempty"`
	Where    string `json:"where"`
	Form     string `json:"form"`
	Received string `json:"received,omitempty"`
	Code     string `json:"code,omitempty"` // why it cannot be put together
	Length   int    `json:"length"`
	SHA256   string `json:"sha256,omitempty"`
	Head     string `json:"head,omitempty"` // the first 64 bytes
	Tail     string `json:"tail,omitempty"` // the last 64 bytes, where Head has not all
}

// Match is a mistake, or two at once, without which the proof would hold.
type Match struct {
	When   string   `json:"when"` // "a newline is added to the end of the body"
	Secret string   `json:"secret,omitempty"`
	Kinds  []string `json:"kinds"`
	Advice []string `json:"advice"`
}

// The verdicts.
const (
	Holds    = "holds"
	Refused  = "refused"
	NotAsked = "not_asked"
)
