// Package moduletest is the suite that every module passes. A module's test
// provides a Harness: how to start a far end, how to look at what arrived
// there, and how to cut it off or make it refuse. The tests are here, once.
//
// # The test of a module that talks to a server
//
// It is written in three files of at most 120 lines or so; modules/rabbitmq is
// the model.
//
// testdata/peer.py is the far end's other user: a program that is not hookd's
// client library reads back what arrived and changes the server where a test
// asks for it. testinfra.NewPeer runs it and describes how the two speak.
//
// main_test.go brings up the server and describes it to the suite:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }
//
//	func newBroker(t *testing.T) *broker {
//		s := testinfra.Kafka(t)             // skips where there is none
//		p := s.FixedProxy(t)                // or testinfra.NewProxy(t, s.Addr)
//		topic := testinfra.Unique(t)        // tests share the server
//		...
//	}
//
//	func (b *broker) far(options string) *moduletest.Far {
//		far := &moduletest.Far{
//			Connection: b.connection(),     // leads to the proxy
//			Options:    options,
//			Received:   b.received,         // all so far, from the peer
//			Secrets:    []string{b.Password},
//			Poison:     make([]byte, tooLarge),
//			Restart:    func() { b.Kill(t); b.Start(t) },
//			Break:      func() { b.do("delete_topic", topic) },
//			Deny: func() (allow func()) {
//				b.do("deny", b.User, topic)
//				return func() { b.do("allow", b.User, topic) }
//			},
//		}
//		far.Through(b.proxy)                // Cut, Restore, Stall, Mute, Accepted
//		return far
//	}
//
// <module>_test.go runs the suite, once for each shape that destinations have,
// with a list of mistakes in the configuration; and then tests what only this
// far end has: the exact message (properties, headers, keys), TLS with the right
// and the wrong authority, each way in which the server says no, and above all
// each in which it seems to say yes and keeps nothing. Such a test names the kind,
// the code and a part of the text of the failure, for a delivery by itself and in
// a batch.
//
// What a Far leaves nil is skipped, and shows up as such: a far end that is real
// and can be restarted leaves nothing nil without a reason.
//
// The whole way, from a webhook to the message that is read back, with one and
// the same hookd while the server comes and goes, is TestBrokerRestarts in
// server/broker_test.go. A module joins with a function of 30 lines.
package moduletest
