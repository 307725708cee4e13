// Checks a checkpoint and a proof of the audit log with the implementations of others: the note package of the Go
// project, and the Merkle tree package of transparency-dev. Usage: oracle KEYFILE CHECKPOINT PROOF
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(keyFile, checkpointFile, proofFile string) error {
	key, err := read(keyFile)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	checkpoint, err := read(checkpointFile)
	if err != nil {
		return err
	}
	if _, _, err := open(checkpoint, verifier); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	text, err := read(proofFile)
	if err != nil {
		return err
	}
	return checkProof(text, verifier)
}

func checkProof(text string, verifier note.Verifier) error {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("proof: not in the form of a proof")
	}
	size, root, err := open(checkpoint, verifier)
	if err != nil {
		return fmt.Errorf("checkpoint of the proof: %w", err)
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return fmt.Errorf("entry: %w", err)
	}
	index, err := strconv.ParseUint(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	var path [][]byte
	for _, line := range lines[3:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return fmt.Errorf("path: %w", err)
		}
		path = append(path, hash)
	}
	hasher := rfc6962.DefaultHasher
	if err := proof.VerifyInclusion(hasher, index, size, hasher.HashLeaf(entry), path, root); err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	fmt.Printf("index %d of %d holds\n", index, size)
	return nil
}

func open(checkpoint string, verifier note.Verifier) (uint64, []byte, error) {
	opened, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	if err != nil {
		return 0, nil, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 3 || lines[0] != verifier.Name() {
		return 0, nil, fmt.Errorf("no checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil {
		return 0, nil, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	return size, root, err
}

func read(file string) (string, error) {
	bytes, err := os.ReadFile(file)
	return string(bytes), err
}
