-- As how many names a request counts for its person's limits: several in one video as two.
ALTER TABLE "UserRequest" ADD COLUMN "weight" INTEGER NOT NULL DEFAULT 1;

-- Which videos show a name together with others: whoever forgets the name forgets these.
CREATE INDEX "VideoAsset_parts_idx" ON "VideoAsset" USING gin (string_to_array("name", ' & ')) WHERE "name" LIKE '% & %';
