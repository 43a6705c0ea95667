"""The deletion certificate: what is known of one object's end, by which witness, with proofs, and what cannot be known.

    told       the values, and the words for what nobody can know
    standing   which deletions stand, as records come by
    request    what a bundle about one object was asked for, and the certificate that follows from the bundle
    page       all of it as HTML, with nothing but the standard library: a verifier makes the page again
"""
