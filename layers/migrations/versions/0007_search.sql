CREATE SCHEMA search;

-- Every distinct form of a word, its sound with and without vowels (of an Arabic one a pattern of what it is in Latin
-- letters), what it is with a letter left out, and in how many things it stands.
CREATE TABLE search.words (
    id integer PRIMARY KEY,
    form text COLLATE "C" NOT NULL UNIQUE,
    sound text COLLATE "C" NOT NULL,
    heard text COLLATE "C" NOT NULL,
    misspelt text[] COLLATE "C" NOT NULL,
    arabic boolean NOT NULL,
    uses bigint NOT NULL
);
CREATE INDEX words_sound_idx ON search.words (sound, uses DESC) WHERE sound <> '';
CREATE INDEX words_misspelt_idx ON search.words USING gin (misspelt);
CREATE INDEX words_trigrams_idx ON search.words USING gin (form public.gin_trgm_ops);

-- Other names that people use, from data/aliases.csv.
CREATE TABLE search.aliases (
    kind text NOT NULL,
    target text NOT NULL,
    alias text NOT NULL,
    lang text NOT NULL,
    PRIMARY KEY (kind, target, alias)
);

-- One row for each thing. The words of all its names stand one after the other, each with the number of its name
-- (the first is French, the second Arabic) and its place in it.
CREATE TABLE search.things (
    kind text NOT NULL,
    layer text NOT NULL,
    id text NOT NULL,
    entry text,
    weight smallint NOT NULL,
    -- Words of the shortest name.
    shortest smallint NOT NULL,
    names text[] NOT NULL,
    sizes smallint[] NOT NULL,
    words integer[] NOT NULL,
    owners smallint[] NOT NULL,
    starts smallint[] NOT NULL,
    ends smallint[] NOT NULL,
    -- Words of its category and district, in case somebody adds them.
    context integer[] NOT NULL,
    -- Those of its category alone.
    category_words integer[] NOT NULL,
    -- The keys of both, to be shown.
    category text,
    district text,
    -- Whether it is at one point, and where; of lines and areas some point on them, of categories null.
    place boolean NOT NULL,
    geom public.geometry(Point, 4326),
    -- Of districts, from whose border the way is measured.
    area public.geography,
    source text NOT NULL,
    fid bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    PRIMARY KEY (layer, kind, id)
);
CREATE INDEX things_words_idx ON search.things USING gin (words);
CREATE INDEX things_context_idx ON search.things USING gin (context);
-- What is known by its kind, or by a single word: of the others there may be a million.
CREATE INDEX things_known_idx ON search.things USING gin (words) WHERE weight > 30 OR shortest = 1;
CREATE INDEX things_geog_idx ON search.things USING gist (public.geography(geom));
CREATE INDEX things_entry_idx ON search.things (entry) WHERE entry IS NOT NULL;

-- A thing that was found: how well (class, the smaller the better; off, from 0 on), by which of its names and which parts
-- of it, how many words of it were not asked for, and how far it is in metres.
CREATE TYPE search.finding AS (
    layer text, kind text, id text, class integer, weight smallint, off real, owner smallint, spans jsonb,
    left_over integer, distance double precision
);

-- A word that one of a question's words may mean, and in how many things it stands.
CREATE TYPE search.meaning AS (token integer, word integer, level smallint, off real, uses bigint);
