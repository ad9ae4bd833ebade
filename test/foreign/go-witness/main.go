// A log that asks a witness for cosignatures, and a check of what witnesses signed, built on
// golang.org/x/mod/sumdb/{note,tlog} and nothing of ours: tree, proofs, notes and signatures are Go's.
//
//	witness log <witness URL> <witness verifier key> <origin> <seed in hex>
//
// Grows a log of its own to 700 leaves, submits its checkpoints as C2SP tlog-witness says, and opens each answer
// as a note that must carry the witness's cosignature/v1. Then it lies: a fork, a wrong proof, an old size. Prints "ok".
//
//	witness vkey <origin> <seed in hex>
//
// Prints the verifier key of that log.
//
//	witness check <checkpoint file> <log verifier key> <witness verifier key>...
//
// Opens a note that must carry the log's signature and a cosignature of every witness. Prints "ok <size>".
//
//	witness consistency <request file> <old checkpoint file> <log verifier key>
//
// Checks the consistency proof of an add-checkpoint request with tlog.CheckTree. Prints "ok <old size> <size>".
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/ioutil"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(ok bool, format string, args ...interface{}) {
	if !ok {
		must(fmt.Errorf(format, args...))
	}
}

// cosigner verifies cosignature/v1 (C2SP tlog-cosignature), which Go's note package leaves to a Verifier of one's own.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosigner(vkey string) cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	check(len(parts) == 3, "malformed verifier key")
	id, err := hex.DecodeString(parts[1])
	must(err)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	check(len(id) == 4 && len(key) == 33 && key[0] == 4, "not a cosignature/v1 key")
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	check(bytes.Equal(sum[:4], id), "the key id does not fit the key")
	return cosigner{parts[0], binary.BigEndian.Uint32(id), ed25519.PublicKey(key[1:])}
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg)
	return time != 0 && ed25519.Verify(c.key, []byte(signed), sig[8:])
}

// hashes is where tlog keeps the nodes of a tree.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, h[i])
	}
	return out, nil
}

func newLog(origin, seed string) (note.Signer, note.Verifier, string) {
	raw, err := hex.DecodeString(seed)
	must(err)
	private := ed25519.NewKeyFromSeed(raw)
	vkey, err := note.NewEd25519VerifierKey(origin, private.Public().(ed25519.PublicKey))
	must(err)
	verifier, err := note.NewVerifier(vkey)
	must(err)
	text := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", origin, verifier.KeyHash(),
		base64.StdEncoding.EncodeToString(append([]byte{1}, raw...)))
	signer, err := note.NewSigner(text)
	must(err)
	return signer, verifier, vkey
}

type log struct {
	origin string
	signer note.Signer
	stored hashes
	n      int64
}

func (l *log) grow(n int64, word string) {
	for ; l.n < n; l.n++ {
		more, err := tlog.StoredHashes(l.n, []byte(fmt.Sprintf("%s %d", word, l.n)), l.stored)
		must(err)
		l.stored = append(l.stored, more...)
	}
}

func (l *log) checkpoint() []byte {
	root, err := tlog.TreeHash(l.n, l.stored)
	must(err)
	text := fmt.Sprintf("%s\n%d\n%s\n", l.origin, l.n, base64.StdEncoding.EncodeToString(root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, l.signer)
	must(err)
	return signed
}

func (l *log) request(old int64) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "old %d\n", old)
	if old > 0 && old < l.n {
		proof, err := tlog.ProveTree(l.n, old, l.stored)
		must(err)
		for _, h := range proof {
			fmt.Fprintf(&out, "%s\n", base64.StdEncoding.EncodeToString(h[:]))
		}
	}
	out.WriteString("\n")
	out.Write(l.checkpoint())
	return out.Bytes()
}

func post(url string, body []byte) (int, string, []byte) {
	response, err := http.Post(url+"/add-checkpoint", "text/plain", bytes.NewReader(body))
	must(err)
	defer response.Body.Close()
	answer, err := ioutil.ReadAll(response.Body)
	must(err)
	return response.StatusCode, response.Header.Get("Content-Type"), answer
}

func runLog(url, vkey, origin, seed string) {
	witness := newCosigner(vkey)
	signer, verifier, _ := newLog(origin, seed)
	l := &log{origin: origin, signer: signer}
	old := int64(0)
	// From 1: what this tlog takes for the root of an empty tree is 32 zero bytes, not the hash of RFC 6962.
	for _, size := range []int64{1, 2, 3, 7, 8, 255, 256, 257, 700, 700} {
		l.grow(size, "leaf")
		status, _, answer := post(url, l.request(old))
		check(status == 200, "from %d to %d: %d %s", old, size, status, answer)
		opened, err := note.Open(append(l.checkpoint(), answer...), note.VerifierList(verifier, witness))
		must(err)
		check(len(opened.Sigs) == 2, "size %d: the witness's cosignature does not verify", size)
		old = size
	}
	status, kind, answer := post(url, l.request(256))
	check(status == 409 && kind == "text/x.tlog.size" && string(answer) == "700\n", "old size: %d %s %s", status, kind, answer)
	l.grow(701, "leaf")
	wrong := bytes.Replace(l.request(700), []byte("\n"), []byte("\n"+base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n"), 1)
	status, _, _ = post(url, wrong)
	check(status == 422, "wrong proof: %d", status)
	fork := &log{origin: origin, signer: signer}
	fork.grow(700, "another leaf")
	status, _, _ = post(url, fork.request(700))
	check(status == 422, "fork: %d", status)
	fork.grow(800, "another leaf")
	status, _, _ = post(url, fork.request(700))
	check(status == 422, "another past: %d", status)
	status, _, _ = post(url, l.request(700))
	check(status == 200, "the truth after the lies: %d", status)
	fmt.Println("ok")
}

func parseTree(text string) tlog.Tree {
	lines := strings.Split(text, "\n")
	check(len(lines) >= 4, "malformed checkpoint")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must(err)
	var tree tlog.Tree
	check(len(root) == len(tree.Hash), "the root does not have 32 bytes")
	tree.N = size
	copy(tree.Hash[:], root)
	return tree
}

func openNote(text []byte, vkey string, more ...note.Verifier) (*note.Note, tlog.Tree) {
	verifier, err := note.NewVerifier(vkey)
	must(err)
	opened, err := note.Open(text, note.VerifierList(append(more, verifier)...))
	must(err)
	return opened, parseTree(opened.Text)
}

func runCheck(file, vkey string, witnesses []string) {
	text, err := ioutil.ReadFile(file)
	must(err)
	var more []note.Verifier
	for _, witness := range witnesses {
		more = append(more, newCosigner(witness))
	}
	opened, tree := openNote(text, vkey, more...)
	check(len(opened.Sigs) == 1+len(witnesses), "%d of %d signatures verify", len(opened.Sigs), 1+len(witnesses))
	fmt.Printf("ok %d\n", tree.N)
}

func runConsistency(requestFile, oldFile, vkey string) {
	request, err := ioutil.ReadFile(requestFile)
	must(err)
	parts := strings.SplitN(string(request), "\n\n", 2)
	check(len(parts) == 2, "malformed request")
	lines := strings.Split(parts[0], "\n")
	oldText, err := ioutil.ReadFile(oldFile)
	must(err)
	_, old := openNote(oldText, vkey)
	_, tree := openNote([]byte(parts[1]), vkey)
	check(lines[0] == fmt.Sprintf("old %d", old.N), "the request is from another size")
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		must(err)
		proof = append(proof, h)
	}
	must(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
	fmt.Printf("ok %d %d\n", old.N, tree.N)
}

func main() {
	args := os.Args[1:]
	switch {
	case len(args) == 5 && args[0] == "log":
		runLog(args[1], args[2], args[3], args[4])
	case len(args) == 3 && args[0] == "vkey":
		_, _, vkey := newLog(args[1], args[2])
		fmt.Println(vkey)
	case len(args) >= 4 && args[0] == "check":
		runCheck(args[1], args[2], args[3:])
	case len(args) == 4 && args[0] == "consistency":
		runConsistency(args[1], args[2], args[3])
	default:
		check(false, "see the head of main.go")
	}
}
