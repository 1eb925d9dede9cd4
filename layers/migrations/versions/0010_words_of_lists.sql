-- A text as it is compared with what somebody types: without case, accents, vowel signs and tatweel, and of the letters that
-- Arabic writes one for another one only.
CREATE FUNCTION search.plain(written text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$
    SELECT translate(catalogue.accenti(catalogue.casei(written)), 'ٱىةیکگڭڨ', 'ايهيكككك') COLLATE "C"
$$;

-- Names and addresses of an entry, stored as they are compared: folding them for each question takes most of a second for
-- 100,000 entries.
ALTER TABLE directory.entries ADD COLUMN plain text GENERATED ALWAYS AS (
    search.plain(name_fr || ' ' || name_ar || ' ' || coalesce(address_fr, '') || ' ' || coalesce(address_ar, ''))
) STORED;
CREATE INDEX entries_plain_idx ON directory.entries USING gin (plain public.gin_trgm_ops);
