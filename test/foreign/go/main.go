// Verifies a log with golang.org/x/mod/sumdb/{note,tlog} and nothing of ours.
//
//	verify <directory> <verifier key> [<earlier checkpoint file>]
//
// Checks the checkpoint's signature, every hash through authenticated tiles, every leaf of the entry bundles against
// its hash, an inclusion proof for every leaf of small logs (a spread of leaves of large ones), and that the earlier
// checkpoint is a prefix. Prints "ok <size>" or fails with a reason.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// tiles reads tiles of the C2SP layout: its paths lack the height that Go's have.
type tiles struct{ dir string }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(ok bool, format string, args ...any) {
	if !ok {
		must(fmt.Errorf(format, args...))
	}
}

func openCheckpoint(file, vkey string) tlog.Tree {
	text, err := os.ReadFile(file)
	must(err)
	verifier, err := note.NewVerifier(vkey)
	must(err)
	signed, err := note.Open(text, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(signed.Text, "\n")
	check(len(lines) >= 4 && lines[0] == verifier.Name(), "the origin is not the key's name")
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

func readLeaves(dir string, size int64) [][]byte {
	var leaves [][]byte
	for bundle := int64(0); bundle*256 < size; bundle++ {
		tile := tlog.Tile{H: height, L: 0, N: bundle, W: 256}
		if rest := size - bundle*256; rest < 256 {
			tile.W = int(rest)
		}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(dir, path))
		must(err)
		for len(data) > 0 {
			check(len(data) >= 2, "bundle %d ends inside a length", bundle)
			n := int(binary.BigEndian.Uint16(data))
			check(len(data) >= 2+n, "bundle %d ends inside an entry", bundle)
			leaves = append(leaves, data[2:2+n])
			data = data[2+n:]
		}
	}
	check(int64(len(leaves)) == size, "the bundles hold %d leaves, the checkpoint says %d", len(leaves), size)
	return leaves
}

func main() {
	check(len(os.Args) >= 3, "usage: verify <directory> <verifier key> [<earlier checkpoint>]")
	dir := os.Args[1]
	tree := openCheckpoint(filepath.Join(dir, "checkpoint"), os.Args[2])
	reader := tlog.TileHashReader(tree, tiles{dir})

	leaves := readLeaves(dir, tree.N)
	indexes := make([]int64, len(leaves))
	for i := range leaves {
		indexes[i] = tlog.StoredHashIndex(0, int64(i))
	}
	hashes, err := reader.ReadHashes(indexes)
	must(err)
	for i, leaf := range leaves {
		check(tlog.RecordHash(leaf) == hashes[i], "leaf %d does not fit its hash", i)
	}

	step := tree.N/500 + 1
	for i := int64(0); i < tree.N; i += step {
		proof, err := tlog.ProveRecord(tree.N, i, reader)
		must(err)
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, i, tlog.RecordHash(leaves[i])))
	}

	if len(os.Args) > 3 {
		earlier := openCheckpoint(os.Args[3], os.Args[2])
		check(earlier.N <= tree.N, "an earlier checkpoint has %d leaves, the log only %d", earlier.N, tree.N)
		proof, err := tlog.ProveTree(tree.N, earlier.N, reader)
		must(err)
		must(tlog.CheckTree(proof, tree.N, tree.Hash, earlier.N, earlier.Hash))
	}
	fmt.Printf("ok %d\n", tree.N)
}
