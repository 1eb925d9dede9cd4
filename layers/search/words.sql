-- What words may mean: the same one, another spelling, one that is begun, heard alike or mistyped.

-- Whether two words differ by a letter: one too many, one too few, another one, or two that have changed places.
CREATE FUNCTION search.mistyped(one text, other text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT abs(length(one) - length(other)) <= 1 AND EXISTS (
        SELECT FROM generate_series(1, greatest(length(one), length(other))) AS at
        WHERE left(one, at - 1) = left(other, at - 1) AND (
            substr(one, at + 1) = substr(other, at + 1)
            OR substr(one, at + 1) = substr(other, at)
            OR substr(one, at) = substr(other, at + 1)
            OR (substr(one, at, 2) = reverse(substr(other, at, 2)) AND substr(one, at + 2) = substr(other, at + 2))
        )
    )
$$;

-- The words that an Arabic one may be behind an article with a wrong letter, one too many, or two that have changed places.
CREATE FUNCTION search.behind_article(form text, alone boolean) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT ARRAY[
        substring(form FROM '^[وب]?(?:لا|.?ا.?ل)(.{3,})$'),
        CASE WHEN form ~ '^(?:[وب]?ا|ل).ل.{2}' THEN regexp_replace(form, '^(?:[وب]?ا|ل)(.)ل', '\1') END,
        -- Of the article one letter is left, of which alone a short word says too little.
        substring(form FROM CASE WHEN alone THEN '^(?:[وب]?ا.|.ل|ل.)(.{4,})$' ELSE '^(?:[وب]?ا.|.ل|ل.)(.{3,})$' END)
    ]
$$;

-- Whether two words that sound alike but for their vowels, in two scripts, may be one word: long ones are; in short ones
-- each vowel that the Arabic writes stands in the Latin one too.
CREATE FUNCTION search.one_word(sound text, pattern text, voiced text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT length(ltrim(sound, 'a')) > 3 OR voiced ~ pattern $$;

-- The words that a form of a question may mean. level: 0 the same, 1 the same sound in another script, 2 a beginning,
-- 3 the same sound, 4 alike; off: how far from it, from 0 to 1. A number is no other number, nor is a code (T1) another;
-- one that is loose may be begun. Of another spelling that is begun off is from 8 on. needed: how many words must be met.
CREATE FUNCTION search.meanings(
    form text, sound text, heard text, misspelt text, loose boolean, needed integer, alike boolean
) RETURNS TABLE (word integer, level smallint, off real, uses bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
#variable_conflict use_column
DECLARE
    in_arabic CONSTANT boolean := form ~ '[؀-ۿ]';
    alone CONSTANT boolean := needed = 1;
    last CONSTANT text := chr(1114111);
    digits CONSTANT text := regexp_replace(form, '[^0-9]', '', 'g');
    -- Of two or three consonants too many words are made.
    short CONSTANT boolean := length(ltrim(sound, 'a')) <= 3;
    brief CONSTANT boolean := length(ltrim(sound, 'a')) <= 2;
    -- In the pattern of an Arabic word, a vowel that it writes: with two consonants and none, nothing tells it from others.
    vowel CONSTANT text := '\[(ae|ouw|eiy)\]';
    -- Of a number: further digits may follow.
    begun CONSTANT boolean := loose AND form = digits;
    -- Letters that are one another but for their dots.
    dotted CONSTANT text := 'حخبتثنذزشضظغق';
    dotless CONSTANT text := 'ججييييدرسصطعف';
    -- How far another spelling that is only begun is: farther than all eight words of a question that are begun themselves.
    spelling CONSTANT real := 8;
    known boolean;
BEGIN
    RETURN QUERY SELECT coalesce(w.stands_for, w.id), 0::smallint, 0::real, w.uses FROM search.words w WHERE w.form = meanings.form;
    known := FOUND;
    -- Of a single consonant too many words are made.
    IF length(ltrim(sound, 'a')) > 1 OR (sound <> '' AND NOT alone) OR (loose AND length(sound) > 1) THEN
        RETURN QUERY
            SELECT coalesce(w.stands_for, w.id),
                -- The digit that is a letter of its own, and not heard as a consonant: 9ri3a is قريعة, not قرية.
                CASE WHEN loose AND (NOT w.arabic OR w.form ~ 'ع' OR meanings.form !~ '3') THEN 1 ELSE 3 END::smallint,
                CASE WHEN w.arabic <> in_arabic THEN 0.3 ELSE (1 - public.similarity(w.form, meanings.form)) * 0.5 END::real,
                w.uses
            FROM search.words w
            WHERE w.sound = meanings.sound AND w.sound <> '' AND w.form <> meanings.form
                AND CASE
                    WHEN w.arabic AND NOT in_arabic THEN search.one_word(w.sound, w.heard, meanings.heard)
                        AND (NOT (alone AND brief) OR w.heard ~ vowel)
                    WHEN in_arabic AND NOT w.arabic THEN search.one_word(w.sound, meanings.heard, w.heard)
                        AND (NOT (alone AND brief) OR meanings.heard ~ vowel)
                    -- Arabic writes what is heard: another word that sounds the same differs by a letter at most.
                    WHEN in_arabic THEN search.mistyped(w.form, meanings.form)
                        OR (length(w.form) = length(meanings.form) AND public.similarity(w.form, meanings.form) >= 0.4)
                    -- Alone, two consonants say too little where the letters are others: 9ri3a is no gare.
                    ELSE (loose AND NOT (alone AND brief)) OR (public.similarity(w.form, meanings.form) >= 0.25
                        AND abs(length(w.form) - length(meanings.form)) <= 2
                        -- Short words that differ in their vowels as well are other words: merci is no Mers.
                        AND (NOT short OR w.heard = meanings.heard
                            OR public.similarity(w.form, meanings.form) >= 0.5 OR search.mistyped(w.form, meanings.form)))
                END
            ORDER BY w.uses DESC LIMIT 30;
    END IF;
    IF form !~ '^[0-9]$' OR begun THEN
        RETURN QUERY
            SELECT w.id, 2::smallint, (1 - length(meanings.form)::real / length(w.form))::real, w.uses FROM search.words w
            WHERE w.form > meanings.form AND w.form < meanings.form || last AND w.stands_for IS NULL
                AND CASE WHEN begun THEN w.form ~ '^[0-9]+$'
                    WHEN digits <> '' THEN form ~ '[.]' OR regexp_replace(w.form, '[^0-9]', '', 'g') = digits
                    ELSE true END
            ORDER BY w.uses DESC LIMIT 40;
        -- Beside the words, not in their stead. Alone, two letters begin too many; of a number no spelling is begun.
        IF NOT begun AND (length(form) >= 3 OR digits <> '' OR NOT alone) THEN
            RETURN QUERY
                SELECT w.stands_for, 2::smallint, (spelling + 1 - length(meanings.form)::real / length(w.form))::real, w.uses
                FROM search.words w
                WHERE w.form > meanings.form AND w.form < meanings.form || last AND w.stands_for IS NOT NULL
                    AND (digits = '' OR regexp_replace(w.form, '[^0-9]', '', 'g') = digits)
                ORDER BY w.uses DESC LIMIT 40;
        END IF;
    END IF;
    IF length(form) <= 2 AND digits = '' AND NOT alone THEN
        -- Beside another word a letter or two may well begin a rare one, of which there are more than of frequent ones, but
        -- in few things.
        RETURN QUERY
            SELECT w.id, 2::smallint, (1 - length(meanings.form)::real / length(w.form))::real, w.uses FROM search.words w
            WHERE w.form > meanings.form AND w.form < meanings.form || last AND w.uses <= 6 AND w.stands_for IS NULL
            ORDER BY w.uses DESC LIMIT 220;
    END IF;
    IF NOT alike THEN
        RETURN;
    END IF;
    IF misspelt <> '' AND (length(form) >= CASE WHEN in_arabic THEN 3 ELSE 4 END OR NOT alone) THEN
        RETURN QUERY
            SELECT coalesce(w.stands_for, w.id), 4::smallint, (0.2 + (1 - public.similarity(w.form, meanings.form)) * 0.3)::real, w.uses
            FROM search.words w
            WHERE w.misspelt && string_to_array(meanings.misspelt, ' ') COLLATE "C" AND w.form <> meanings.form
                AND search.mistyped(w.form, meanings.form)
                -- Arabic words are nearly all consonants: a short one with another of them is another word, rather than one
                -- that is the same but for dots.
                AND NOT (in_arabic AND length(w.form) = length(meanings.form)
                    AND NOT string_to_array(w.form, NULL) <@ string_to_array(meanings.form, NULL)
                    AND CASE WHEN translate(w.form, dotted, dotless) = translate(meanings.form, dotted, dotless)
                        -- Alone a short one is a frequent word rather than a rare one.
                        THEN length(meanings.form) < 4 OR (alone AND length(meanings.form) = 4 AND w.uses < 10)
                        ELSE length(meanings.form) <= CASE WHEN alone THEN 5 ELSE 3 END END)
                -- Of short words hardly anything is left without their first letter, unless others stand beside, or what is
                -- too much in an Arabic one is what has been left of its article.
                AND (length(meanings.form) > 4 OR left(w.form, 1) = left(meanings.form, 1)
                    OR left(w.form, 2) = reverse(left(meanings.form, 2))
                    OR (substr(w.form, 2) = meanings.form
                        AND length(meanings.form) >= CASE WHEN NOT alone THEN 3 WHEN in_arabic THEN 4 ELSE 5 END)
                    OR (w.form = substr(meanings.form, 2) AND meanings.form ~ '^[ال].{3}'))
                AND regexp_replace(w.form, '[^0-9]', '', 'g') = digits
            ORDER BY w.uses DESC LIMIT 30;
        known := known OR FOUND;
    END IF;
    IF in_arabic THEN
        RETURN QUERY
            SELECT coalesce(w.stands_for, w.id), 4::smallint, 0.3::real, w.uses
            FROM search.words w
            WHERE w.form = ANY (search.behind_article(meanings.form, alone)) AND w.form <> meanings.form;
        known := known OR FOUND;
    END IF;
    -- Whoever has mistyped more than a letter has not typed another word.
    IF NOT known AND length(form) >= 5 AND digits = '' THEN
        RETURN QUERY
            SELECT coalesce(w.stands_for, w.id), 4::smallint, (1 - public.similarity(w.form, meanings.form))::real, w.uses
            FROM search.words w
            -- The index finds from 0.3 on, which is too much noise.
            WHERE w.form OPERATOR(public.%) meanings.form AND w.form <> meanings.form
                AND public.similarity(w.form, meanings.form)
                    >= CASE WHEN abs(length(w.form) - length(meanings.form)) <= 1 THEN 0.45 ELSE 0.5 END
                AND left(w.form, 1) = left(meanings.form, 1)
                AND abs(length(w.form) - length(meanings.form)) <= length(meanings.form) / 3
            ORDER BY public.similarity(w.form, meanings.form) DESC, w.uses DESC LIMIT 12;
    END IF;
END $$;

-- The words of all districts and categories, of which there are few among a million things.
CREATE FUNCTION search.sorts() RETURNS TABLE (kind text, words integer[])
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT s.kind, s.words FROM catalogue.layers l, LATERAL (
        SELECT t.kind, t.words FROM search.things t
        -- No other index and no reading of the whole table is to seem better.
        WHERE t.layer = l.id AND t.kind IN ('category', 'district') OFFSET 0
    ) s
$$;

-- Of a question's words those that are, as they were typed, a district's or a category's: with all words of its names, and
-- from which level on such a word is no other one. A district's does not sound like another, a category's may (pharmacy).
CREATE FUNCTION search.settled(meant search.meaning[]) RETURNS TABLE (token integer, words integer[], level integer)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT m.token, array_agg(DISTINCT u.word), CASE WHEN bool_or(t.kind = 'district') THEN 3 ELSE 4 END
    FROM unnest(meant) m JOIN search.sorts() t ON m.word = ANY (t.words), unnest(t.words) AS u(word)
    WHERE m.level = 0
    GROUP BY m.token
$$;

-- What words mean, without what is farther than the word of a district that one sounds like, and only sounds or looks alike.
CREATE FUNCTION search.nearest(meant search.meaning[]) RETURNS search.meaning[]
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH near AS (
        SELECT DISTINCT ON (m.token) m.token, m.word, m.level, m.off FROM unnest(meant) m ORDER BY m.token, m.level, m.off
    ), sort AS (
        SELECT n.token, array_agg(u.word) AS words
        FROM near n JOIN search.sorts() t ON n.word = ANY (t.words), unnest(t.words) AS u(word)
        WHERE n.level = 3 AND t.kind = 'district'
        GROUP BY n.token
    )
    SELECT array_agg(m) FROM unnest(meant) m LEFT JOIN sort s USING (token)
    WHERE m.level < 3 OR s.words IS NULL OR m.word = ANY (s.words)
$$;

-- All that the words of a question may mean, the nearest meaning of each word. Only its last word may be unfinished, and so
-- begin another spelling of some word. Beside another one, the word of a district or category is no misspelling of a word
-- of anything else: who asks for Sbata has not mistyped Sebaâ.
CREATE FUNCTION search.meant(
    forms text[], tokens integer[], sounds text[], heard text[], misspelt text[], loose boolean[], needed integer,
    alike boolean
) RETURNS search.meaning[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    meant CONSTANT search.meaning[] := ARRAY(
        SELECT (m.token, m.word, m.level, m.off, m.uses)::search.meaning
        FROM (
            SELECT DISTINCT ON (f.token, m.word) f.token, m.*
            FROM unnest(forms, tokens, sounds, heard, misspelt, loose) AS f(form, token, sound, heard, misspelt, loose),
                LATERAL search.meanings(f.form, f.sound, f.heard, f.misspelt, f.loose, needed, alike) m
            WHERE m.off < 8 OR f.token = (SELECT max(t) FROM unnest(tokens) t)
                -- But for a short one without its last letter, which has too few to be misspelt: ``be`` of ``ben``.
                OR (length(f.form) <= 2 AND m.off < 8.01 + 1.0 / (length(f.form) + 1))
            ORDER BY f.token, m.word, m.level, m.off
        ) m);
BEGIN
    IF needed = 1 THEN
        RETURN meant;
    END IF;
    RETURN ARRAY(
        SELECT m FROM unnest(meant) m LEFT JOIN search.settled(meant) s USING (token)
        WHERE s.words IS NULL OR m.level < s.level OR m.word = ANY (s.words));
END $$;

-- What several words that are written together may mean. Where one of them alone means the same, or its beginning, or some of
-- them do, what stands beside is no misspelling of it or of the rest.
CREATE FUNCTION search.meant_together(
    joined text, sound text, heard text, misspelt text, alike boolean, apart search.meaning[]
) RETURNS search.meaning[]
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT array_agg(m)
    FROM unnest(search.meant(ARRAY[joined], ARRAY[1], ARRAY[sound], ARRAY[heard], ARRAY[misspelt], ARRAY[false], 1,
        alike AND misspelt <> '')) m
    WHERE m.level < 4 OR NOT EXISTS (
        SELECT FROM search.words w LEFT JOIN unnest(apart) a ON a.word = w.id,
            -- How many letters the word has that begins it.
            LATERAL (SELECT round((1 - a.off) * length(w.form))::integer AS letters) AS begun
        WHERE w.id = m.word AND (
            (starts_with(joined, w.form) AND length(joined) > length(w.form) + 1)
            OR a.level <> 2
            OR (a.token = 1 AND a.off < 1
                AND public.similarity(substr(joined, letters + 1), substr(w.form, letters + 1)) <= 0.12))
    )
$$;

-- The condition, in text, that a thing ``t`` is of the layers that are asked for and in the box; categories are everywhere.
CREATE FUNCTION search.bounds(layers text[], box double precision[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN layers IS NULL THEN '' ELSE format(' AND t.layer = ANY (%L::text[])', layers) END
        || CASE WHEN box IS NULL THEN '' ELSE format(
            -- West of its east side, or, over the antimeridian, outside of what lies between its sides.
            ' AND (t.kind = ''category'' OR ((public.ST_X(t.geom) >= %1$s %5$s public.ST_X(t.geom) <= %3$s) '
            'AND public.ST_Y(t.geom) BETWEEN %2$s AND %4$s))',
            box[1], box[2], box[3], box[4], CASE WHEN box[1] > box[3] THEN 'OR' ELSE 'AND' END) END
$$;
