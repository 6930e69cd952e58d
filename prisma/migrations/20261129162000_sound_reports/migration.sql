-- CreateTable
CREATE TABLE "SoundReport" (
    "id" TEXT NOT NULL,
    "userId" BIGINT NOT NULL,
    "assetId" TEXT NOT NULL,
    "chatId" BIGINT NOT NULL,
    "language" TEXT NOT NULL,
    "stress" INTEGER,
    "revision" TEXT,
    "updateId" INTEGER NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "closedAt" TIMESTAMPTZ(3),

    CONSTRAINT "SoundReport_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "UnderstoodCount" (
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "outcome" TEXT NOT NULL,
    "reason" TEXT NOT NULL DEFAULT '',
    "count" INTEGER NOT NULL,

    CONSTRAINT "UnderstoodCount_pkey" PRIMARY KEY ("hour","outcome","reason")
);

-- CreateIndex
CREATE INDEX "SoundReport_assetId_idx" ON "SoundReport"("assetId");

-- CreateIndex
CREATE INDEX "SoundReport_createdAt_idx" ON "SoundReport"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "SoundReport_userId_assetId_key" ON "SoundReport"("userId", "assetId");

-- AddForeignKey
ALTER TABLE "SoundReport" ADD CONSTRAINT "SoundReport_assetId_fkey" FOREIGN KEY ("assetId") REFERENCES "VideoAsset"("id") ON DELETE CASCADE ON UPDATE CASCADE;
