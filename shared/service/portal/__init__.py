"""The portal: one web page for each question, the same for the function app and for `aoai-evidence portal` on loopback.

    desk      what is asked, and what is answered: routes, headers, refusals
    pages     the pages of a period
    shown     what a period looks like, worked out once and kept while the log does not grow
    bundles   bundles that are asked for on this machine
    server    HTTP on loopback

Everything is read from the sealed log for each request; nothing is written but bundles.
"""
